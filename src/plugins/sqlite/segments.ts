import { day, hour } from './sums.ts'

/** A stretch of time, `to` not included, and where its sums are: in cells of days or hours, or in the rows. */
export interface Segment {
  readonly source: 'day' | 'hour' | 'rows'
  readonly from: number
  readonly to: number
}

/** All the time that keys can tell: from 1833 to 2106. */
export const ever: readonly [number, number] = [-50_000 * day, 50_000 * day]

/** The fewest stretches that make up a time: whole days, hours at both ends of them, and what is left. */
export function segments(from: number, to: number, largest: 'day' | 'hour' = 'day'): Segment[] {
  return cut(from, to, largest === 'day' ? ['day', 'hour'] : ['hour'])
}

const lengths = { day, hour }

function cut(from: number, to: number, sources: readonly ('day' | 'hour')[]): Segment[] {
  if (from >= to) return []
  const [source, ...finer] = sources
  if (!source) return [{ source: 'rows', from, to }]
  const length = lengths[source]
  const first = Math.ceil(from / length) * length
  const last = Math.floor(to / length) * length
  if (first >= last) return cut(from, to, finer)
  return [...cut(from, first, finer), { source, from: first, to: last }, ...cut(last, to, finer)]
}

/** Times of a filter, both included, as `[from, to)` in ms; what is no time leaves nothing out. */
export function timesOf({
  startedAfter,
  startedBefore,
}: {
  readonly startedAfter?: string | undefined
  readonly startedBefore?: string | undefined
}): readonly [from: number, to: number] {
  const from = Date.parse(startedAfter ?? '')
  const to = Date.parse(startedBefore ?? '')
  return [Number.isNaN(from) ? ever[0] : from, Number.isNaN(to) ? ever[1] : to + 1]
}
