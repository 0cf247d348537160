import type { DatabaseSync } from 'node:sqlite'
import { addMeasures } from '../../core/measures.ts'
import type { StatsQuery, StatsRow } from '../../core/store.ts'
import { comboConditions } from './combo-filter.ts'
import { measureColumns, measuresOf } from './measure-columns.ts'
import { type Segment, segments, timesOf } from './segments.ts'
import { day, dimensions, hour, soundTools } from './sums.ts'

const groups = {
  user: {
    key: 'initiators.username',
    also: ', initiators.id AS who',
    join: 'initiators ON initiators.key = combos.initiator',
  },
  model: name('combos.model'),
  client: name('combos.client'),
  provider: name('combos.provider'),
  providerName: name('combos.provider_name'),
  tool: name('sums.tool'),
  none: { key: "''", also: '', join: null },
} as const

/** Sums of days and hours; what begins or ends within an hour is summed from the interceptions themselves. */
export function statsRows(database: DatabaseSync, query: StatsQuery): StatsRow[] {
  const { interval, sort = 'interceptions', limit = Number.POSITIVE_INFINITY } = query
  const [from, to] = timesOf(query)
  const rows = new Map<string, StatsRow>()
  for (const segment of segments(from, to, interval === 'hour' ? 'hour' : 'day')) {
    for (const row of sumsOf(database, query, segment)) {
      const id = JSON.stringify([row.bucket, row.key, row.initiatorId])
      const known = rows.get(id)
      rows.set(id, known ? { ...known, ...addMeasures(known, row) } : row)
    }
  }
  const order = (a: StatsRow, b: StatsRow) =>
    b[sort] - a[sort] ||
    compareText(a.key, b.key) ||
    compareText(a.initiatorId ?? '', b.initiatorId ?? '')
  return [...Map.groupBy(rows.values(), ({ bucket = '' }) => bucket)]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([, each]) => each.sort(order).slice(0, limit))
}

function sumsOf(database: DatabaseSync, query: StatsQuery, segment: Segment): StatsRow[] {
  const { groupBy, interval } = query
  const { conditions, values } = comboConditions(query)
  const { key, also, join } = groups[groupBy]
  // One initiator's combos are few, and have their sums in an index.
  const isOwn = query.visibleTo !== undefined || query.initiator !== undefined
  const { tables, own, time } = sourceOf(segment, groupBy === 'tool', isOwn)
  const length = interval === 'hour' ? hour : day
  const bucket = interval ? `, ${time} / ${length} * ${length} AS bucket` : ''
  if (segment.source === 'day' && conditions.length === 0) return totalsOf(database, query, segment)
  const needsCombos = conditions.length > 0 || (join !== null && groupBy !== 'tool')
  const found = database
    .prepare(
      `SELECT ${key} AS name${also}${bucket}, ${measureColumns.map((column) => `total(sums.${column}) AS ${column}`).join(', ')}
       FROM ${tables}
         ${own ?? (needsCombos ? 'JOIN combos ON combos.key = sums.combo' : '')} ${join ? `JOIN ${join}` : ''}
       ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
       GROUP BY name${also ? ', who' : ''}${interval ? ', bucket' : ''}`,
    )
    .all({ ...values, from: segment.from, to: segment.to })
  return found.flatMap((row) => rowOf(row, query))
}

/** Whole days of all that is stored, by one thing alone. */
function totalsOf(database: DatabaseSync, query: StatsQuery, { from, to }: Segment): StatsRow[] {
  const { groupBy, interval } = query
  const summed = measureColumns.map((column) => `total(${column}) AS ${column}`).join(', ')
  const bucket = interval ? ', at AS bucket' : ''
  const sums = `
    SELECT name AS own${bucket}, ${summed} FROM totals
    WHERE dimension = ${dimensions[groupBy]} AND at >= $from AND at < $to
    GROUP BY own${interval ? ', bucket' : ''}`
  const named =
    groupBy === 'none'
      ? `SELECT '' AS name, sums.* FROM (${sums}) AS sums`
      : groupBy === 'user'
        ? `SELECT username AS name, id AS who, sums.* FROM (${sums}) AS sums
           JOIN initiators ON initiators.key = own`
        : `SELECT text AS name, sums.* FROM (${sums}) AS sums JOIN names ON names.key = own`
  return database
    .prepare(named)
    .all({ from, to })
    .flatMap((row) => rowOf(row, query))
}

function rowOf(row: Record<string, unknown>, { groupBy, interval }: StatsQuery): StatsRow[] {
  if (!(Number(row.interceptions) > 0)) return []
  return [
    {
      key: String(row.name),
      ...(groupBy === 'user' && { initiatorId: String(row.who) }),
      ...(interval && { bucket: new Date(Number(row.bucket)).toISOString() }),
      ...measuresOf(row),
    },
  ]
}

/** Where the sums of a stretch are, and the column of their time in ms. */
function sourceOf({ source }: Segment, byTool: boolean, isOwn: boolean) {
  const columns = (table: string) =>
    measureColumns
      .map((column) =>
        byTool && column === 'tool_calls' ? 'calls AS tool_calls' : `${table}.${column}`,
      )
      .join(', ')
  if (source === 'rows') {
    const range = 'summaries.key >= $from << 20 AND summaries.key < $to << 20'
    const tables = byTool
      ? `(SELECT tool, summaries.key >> 20 AS at, summaries.combo, ${columns('summaries')}
          FROM summaries CROSS JOIN json_each(${soundTools}) AS called
            CROSS JOIN names AS named ON named.text = called.key
            CROSS JOIN tool_uses ON (tool_uses.tool, tool_uses.key) = (named.key, summaries.key)
          WHERE ${range}) AS sums`
      : `(SELECT summaries.key >> 20 AS at, combo, ${columns('summaries')} FROM summaries
          WHERE ${range}) AS sums`
    return { tables, own: null, time: 'sums.at' }
  }
  const span = source === 'day' ? 1 : 0
  const within = `span = ${span} AND at >= $from AND at < $to`
  if (isOwn) {
    const cells = byTool ? 'tool_cells' : 'cells'
    const range = `sums.span = ${span} AND sums.at >= $from AND sums.at < $to`
    return {
      tables: 'combos',
      own: `CROSS JOIN ${cells} AS sums INDEXED BY ${cells}_by_combo ON sums.combo = combos.key AND ${range}`,
      time: 'sums.at',
    }
  }
  const tables = byTool
    ? `(SELECT tool_cells.* FROM (${toolsOf(span)}) AS tools
          CROSS JOIN tool_cells ON tool_cells.tool = tools.tool WHERE ${within}) AS sums`
    : `(SELECT * FROM cells WHERE ${within}) AS sums`
  return { tables, own: null, time: 'sums.at' }
}

/** All tools, by a seek each. */
function toolsOf(span: number): string {
  return `
    WITH RECURSIVE each (tool) AS (
      SELECT min(tool) FROM tool_cells WHERE span = ${span}
      UNION ALL
      SELECT (SELECT min(tool) FROM tool_cells WHERE span = ${span} AND tool > each.tool)
      FROM each WHERE each.tool IS NOT NULL
    ) SELECT tool FROM each WHERE tool IS NOT NULL`
}

function name(column: string) {
  return { key: 'names.text', also: '', join: `names ON names.key = ${column}` } as const
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
