import { addMeasures, type Measures, noMeasures } from '../../core/measures.ts'
import type { StatsKey, StatsQuery, StatsRow } from '../../core/store.ts'
import type { Summary } from '../../core/summary.ts'
import { beginning } from './matching.ts'
import { compareText } from './sessions.ts'

/** Sums of what matches; `summaries` are newest first. */
export function statsRows(summaries: readonly Summary[], query: StatsQuery): StatsRow[] {
  const { groupBy, interval, sort = 'interceptions', limit = Number.POSITIVE_INFINITY } = query
  const rows = new Map<string, StatsRow>()
  for (const summary of summaries.filter(beginning(query))) {
    const bucket = interval && { bucket: bucketOf(summary.startedAt, interval) }
    for (const [name, measures] of shares(summary, groupBy)) {
      const id = JSON.stringify([bucket, name, groupBy === 'user' && summary.initiatorId])
      const row = rows.get(id) ?? {
        key: name,
        ...(groupBy === 'user' && { initiatorId: summary.initiatorId }),
        ...bucket,
        ...noMeasures,
      }
      rows.set(id, { ...row, ...addMeasures(row, measures) })
    }
  }
  const order = (a: StatsRow, b: StatsRow) =>
    b[sort] - a[sort] ||
    compareText(a.key, b.key) ||
    compareText(a.initiatorId ?? '', b.initiatorId ?? '')
  const buckets = Map.groupBy(rows.values(), ({ bucket = '' }) => bucket)
  return [...buckets]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([, each]) => each.toSorted(order).slice(0, limit))
}

/** To which keys an interception counts, and what of it. */
function shares(summary: Summary, groupBy: StatsKey): [string, Measures][] {
  const { measures } = summary
  if (groupBy === 'none') return [['', measures]]
  if (groupBy === 'user') return [[summary.initiatorUsername, measures]]
  if (groupBy !== 'tool') return [[summary[groupBy], measures]]
  return Object.entries(summary.tools).map(([tool, toolCalls]) => [
    tool,
    { ...measures, toolCalls },
  ])
}

function bucketOf(time: string, interval: 'hour' | 'day'): string {
  const date = new Date(time)
  if (interval === 'day') date.setUTCHours(0)
  date.setUTCMinutes(0, 0, 0)
  return date.toISOString()
}
