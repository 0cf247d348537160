import type { DatabaseSync } from 'node:sqlite'
import { SluiceError } from '../../core/errors.ts'
import type { InterceptionQuery } from '../../core/recorder.ts'
import { hasRareAnnotations } from './annotation-conditions.ts'
import { type Combos, combosOf, type Values } from './combo-filter.ts'
import { countOf } from './interception-count.ts'
import { type Driver, driverOf } from './interception-driver.ts'
import { runningIds } from './running-list.ts'
import { searchQuery } from './search-query.ts'
import { timesOf } from './segments.ts'
import { windowOf } from './window.ts'

export interface IdPage {
  readonly count: number
  readonly countExact: boolean
  readonly ids: readonly string[]
}

/** What a query looks for, with what has been looked up for it. */
export interface Scope {
  readonly query: InterceptionQuery
  readonly combos: Combos | null
  /** What the words are to the text index. */
  readonly match: string | null
  readonly from: number
  /** Not included. */
  readonly to: number
}

/** Where an interception stands in the order. */
export interface Spot {
  readonly id: string
  readonly at: number
}

/** The ids of a page, and how many there are. Within a transaction, so that both are of one moment. */
export function interceptionList(database: DatabaseSync, query: InterceptionQuery): IdPage {
  const { limit = 100, offset = 0, sort = 'newest' } = query
  const after = query.after === undefined ? null : spotOf(database, query.after, query.visibleTo)
  const match = query.search === undefined ? null : searchQuery(query.search)
  const combos = combosOf(database, query)
  const nothing = (query.search !== undefined && match === null) || combos?.interceptions === 0
  const [from, to] = timesOf(query)
  const scope: Scope = { query, combos, match, from, to }
  const driver = driverOf(scope, hasRareAnnotations(database, query.annotations))
  const ended = nothing ? { count: 0, countExact: true } : countOf(database, scope, driver)
  if (!query.running) {
    const spots = nothing ? [] : page(database, scope, driver, after, offset, limit)
    return { ...ended, ids: spots.map(({ id }) => id) }
  }
  const open = query.search !== undefined && match === null ? [] : runningIds(database, scope)
  const spots = nothing ? [] : page(database, scope, driver, after, 0, offset + limit)
  const sign = sort === 'newest' ? -1 : 1
  const order = (a: Spot, b: Spot) => sign * (a.at - b.at || (a.id < b.id ? -1 : 1))
  const rest = open.filter((spot) => !after || (spot.id !== after.id && order(spot, after) > 0))
  const all = [...spots, ...rest].sort(order).slice(offset, offset + limit)
  return { ...ended, count: ended.count + open.length, ids: all.map(({ id }) => id) }
}

function page(
  database: DatabaseSync,
  scope: Scope,
  driver: Driver,
  after: Spot | null,
  offset: number,
  limit: number,
): Spot[] {
  const newest = scope.query.sort !== 'oldest'
  const range = windowOf(database, scope, after, offset, limit)
  const direction = newest ? 'DESC' : 'ASC'
  const cursor = after && {
    condition: newest
      ? `NOT (${driver.key} >= $cursor << 20 AND summaries.id >= $cursorId)`
      : `NOT (${driver.key} < ($cursor + 1) << 20 AND summaries.id <= $cursorId)`,
    values: { cursor: after.at, cursorId: after.id } satisfies Values,
  }
  const from = after && !newest ? Math.max(range.from, after.at) : range.from
  const to = after && newest ? Math.min(range.to, after.at + 1) : range.to
  const sql = (what: string, start = '', also = '') => `
    SELECT ${what} FROM ${driver.tables}
    WHERE ${[...driver.conditions, ...(cursor ? [cursor.condition] : [])].join(' AND ')}
      AND ${driver.key} >= $from << 20 AND ${driver.key} < $to << 20 ${also}
    ORDER BY ${driver.key} ${direction} ${start}`
  const values = { ...driver.values, ...cursor?.values }
  let begin = { from, to }
  let skip = range.skip
  if (skip > 0) {
    // Keys of one millisecond are in the order of arrival: a page begins with whole milliseconds.
    const first = database
      .prepare(
        sql(
          `CAST(${driver.key} AS TEXT) AS key, ${driver.key} >> 20 AS at`,
          'LIMIT 1 OFFSET $skip',
        ),
      )
      .get({ ...values, from, to, skip })
    if (!first) return []
    const at = Number(first.at)
    const same = `${driver.key} ${newest ? '>' : '<'} CAST($first AS INTEGER)`
    const earlier = database
      .prepare(`SELECT count(*) AS n FROM (${sql('1', '', `AND ${same}`)})`)
      .get({ ...values, from: at, to: at + 1, first: String(first.key) })
    skip = Number(earlier?.n)
    begin = newest ? { from, to: at + 1 } : { from: at, to }
  }
  const spots: Spot[] = []
  const rows = database
    .prepare(sql(`summaries.id AS id, ${driver.key} >> 20 AS at`))
    .iterate({ ...values, ...begin })
  for (const row of rows) {
    const spot = { id: String(row.id), at: Number(row.at) }
    if (spots.length >= skip + limit && spots.at(-1)?.at !== spot.at) break
    spots.push(spot)
  }
  const sign = newest ? -1 : 1
  return spots
    .sort((a, b) => sign * (a.at - b.at || (a.id < b.id ? -1 : 1)))
    .slice(skip, skip + limit)
}

function spotOf(database: DatabaseSync, id: string, visibleTo: string | undefined): Spot {
  const row = database
    .prepare('SELECT started_at, initiator_id FROM interceptions WHERE id = ?')
    .get(id)
  if (
    typeof row?.started_at !== 'number' ||
    (visibleTo !== undefined && row.initiator_id !== visibleTo)
  ) {
    throw new SluiceError(
      `there is no interception ${id} to go on after: begin with the first page`,
      { code: 'ERR_CURSOR', status: 400 },
    )
  }
  return { id, at: row.started_at }
}
