import { addMeasures, type Measures, noMeasures } from '../../core/measures.ts'
import type { StoreFilter } from '../../core/recorder.ts'
import type { StatsQuery, StatsRow } from '../../core/store.ts'
import { type Cell, cellsOf } from './cells.ts'
import type { Collections } from './collections.ts'
import { cellsIn, hourMs, hourOf } from './hour-document.ts'
import { summariesOf } from './roll.ts'

/** Sums by key: of whole hours from the hours' sums, of the rest from the digests. */
export async function findStats(collections: Collections, query: StatsQuery): Promise<StatsRow[]> {
  const sums = new Map<string, StatsRow>()
  const add = (hour: Date, cells: readonly Cell[]) => {
    for (const cell of cells) if (counts(cell, query)) addTo(sums, cell, hour, query)
  }
  const { after, before, edges } = spanOf(query)
  if (after < before) {
    const filter = { hour: { $gte: new Date(after), $lt: new Date(before) }, ...ofInitiator(query) }
    const hours = collections.hours.find(filter, { batchSize: 5000 })
    for await (const document of hours) add(document.hour as Date, cellsIn(document))
  }
  for (const [from, until] of edges) {
    const startedAt = { $gte: new Date(from), $lte: new Date(until) }
    const filter = { ended: true, startedAt, ...ofInitiator(query) }
    add(hourOf(new Date(from)), cellsOf(await summariesOf(collections, filter)))
  }
  return sorted([...sums.values()], query)
}

/** From where to where hours are whole, in ms; and before and after that what is not, both ends included. */
function spanOf({ startedAfter, startedBefore }: StoreFilter): {
  readonly after: number
  readonly before: number
  readonly edges: readonly (readonly [number, number])[]
} {
  const from = startedAfter === undefined ? 0 : Date.parse(startedAfter)
  // One that began in the last ms of an hour is of it.
  const until = startedBefore === undefined ? Date.UTC(9999) : Date.parse(startedBefore)
  const after = Math.ceil(from / hourMs) * hourMs
  const before = Math.floor((until + 1) / hourMs) * hourMs
  if (after >= before) {
    // Of two hours none of which is whole, each has its own sums.
    const middle = hourMs * Math.floor(until / hourMs)
    if (from < middle && middle <= until)
      return {
        after,
        before: after,
        edges: [
          [from, middle - 1],
          [middle, until],
        ],
      }
    return { after, before: after, edges: from <= until ? [[from, until]] : [] }
  }
  const edges: (readonly [number, number])[] = []
  if (from < after) edges.push([from, after - 1])
  if (before <= until) edges.push([before, until])
  return { after, before, edges }
}

/** Who is named by username may have any id: that is left to the cells. */
function ofInitiator({ visibleTo }: StoreFilter): { readonly initiatorId?: string } {
  return visibleTo === undefined ? {} : { initiatorId: visibleTo }
}

function counts(cell: Cell, query: StatsQuery): boolean {
  const { groupBy, initiator } = query
  return (
    (cell.tool !== null) === (groupBy === 'tool') &&
    (initiator === undefined ||
      cell.initiatorId === initiator ||
      cell.initiatorUsername === initiator) &&
    (['provider', 'providerName', 'model', 'client'] as const).every(
      (name) => query[name] === undefined || query[name] === cell[name],
    )
  )
}

function addTo(
  sums: Map<string, StatsRow>,
  cell: Cell,
  hour: Date,
  { groupBy, interval }: StatsQuery,
): void {
  const key = keyOf(cell, groupBy)
  const bucket = interval && { bucket: bucketOf(hour, interval) }
  const initiator = groupBy === 'user' && { initiatorId: cell.initiatorId }
  const id = JSON.stringify([key, bucket, initiator])
  const sum: Measures = sums.get(id) ?? noMeasures
  sums.set(id, { key, ...initiator, ...bucket, ...addMeasures(sum, cell.measures) })
}

function keyOf(cell: Cell, groupBy: StatsQuery['groupBy']): string {
  if (groupBy === 'none') return ''
  if (groupBy === 'user') return cell.initiatorUsername
  return cell[groupBy] ?? ''
}

function bucketOf(hour: Date, interval: 'hour' | 'day'): string {
  const time = hour.toISOString()
  return interval === 'hour' ? time : `${time.slice(0, 10)}T00:00:00.000Z`
}

function sorted(rows: readonly StatsRow[], query: StatsQuery): StatsRow[] {
  const { sort = 'interceptions', limit = Number.POSITIVE_INFINITY } = query
  const order = (a: StatsRow, b: StatsRow) =>
    b[sort] - a[sort] || compare(a.key, b.key) || compare(a.initiatorId ?? '', b.initiatorId ?? '')
  const buckets = Map.groupBy(rows, ({ bucket = '' }) => bucket)
  return [...buckets]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([, each]) => each.toSorted(order).slice(0, limit))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
