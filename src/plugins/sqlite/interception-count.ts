import type { DatabaseSync } from 'node:sqlite'
import type { Driver } from './interception-driver.ts'
import type { Scope } from './interception-list.ts'
import { ever, type Segment, segments } from './segments.ts'
import { day } from './sums.ts'
import { sumsOf } from './sums-source.ts'

export interface Count {
  readonly count: number
  readonly countExact: boolean
}

/** What words find is counted up to here. */
const maxFound = 10_000
/** How long may be spent on counting where there are no sums, in ms; what is counted by then is a lower bound. */
const maxTime = 15

export function countOf(database: DatabaseSync, scope: Scope, driver: Driver): Count {
  const { query, combos, from, to } = scope
  if (driver.type === 'text') return countFound(database, scope, driver)
  if (query.sessionId !== undefined) return countSlowly(database, driver, [[from, to]])
  if (Object.keys(query.annotations ?? {}).length > 0)
    return countSlowly(database, driver, daysOf(database, from, to))
  if (query.tool === undefined && from === ever[0] && to === ever[1]) {
    const total = 'SELECT sum(interceptions) AS n FROM totals WHERE dimension = 0'
    const count = combos ? combos.interceptions : Number(database.prepare(total).get()?.n ?? 0)
    return { count, countExact: true }
  }
  // Many combos that many tools' sums have to be asked for: day by day, while there is time.
  const isWide = query.tool !== undefined && combos !== null && combos.keys === null
  const until = performance.now() + (isWide ? maxTime : Number.POSITIVE_INFINITY)
  const stretches = isWide ? daysOf(database, from, to) : [[from, to] as const]
  let count = 0
  for (const segment of segmentsOf(stretches)) {
    if (performance.now() > until) return { count, countExact: false }
    if (segment.source === 'rows') count += countRows(database, driver, segment.from, segment.to)
    else count += countCells(database, scope, segment)
  }
  return { count, countExact: true }
}

function* segmentsOf(stretches: Iterable<readonly [from: number, to: number]>): Generator<Segment> {
  for (const [from, to] of stretches) yield* segments(from, to)
}

function countCells(database: DatabaseSync, scope: Scope, segment: Segment): number {
  const { tables, conditions, values } = sumsOf(scope, segment.source === 'day' ? 1 : 0)
  const row = database
    .prepare(
      `SELECT sum(interceptions) AS n FROM ${tables}
       WHERE ${[...conditions, 'at >= $from AND at < $to'].join(' AND ')}`,
    )
    .get({ ...values, from: segment.from, to: segment.to })
  return Number(row?.n ?? 0)
}

function countRows(
  database: DatabaseSync,
  { tables, key, conditions, values }: Driver,
  from: number,
  to: number,
  most = -1,
): number {
  const row = database
    .prepare(
      `SELECT count(*) AS n FROM (
         SELECT 1 FROM ${tables} WHERE ${conditions.join(' AND ')}
           AND ${key} >= $from << 20 AND ${key} < $to << 20 LIMIT $most)`,
    )
    .get({ ...values, from, to, most })
  return Number(row?.n ?? 0)
}

/** Newest first, stretch by stretch, until the time is up. */
function countSlowly(
  database: DatabaseSync,
  driver: Driver,
  stretches: Iterable<readonly [from: number, to: number]>,
  most = Number.MAX_SAFE_INTEGER,
): Count {
  const until = performance.now() + maxTime
  let count = 0
  for (const [from, to] of stretches) {
    if (performance.now() > until) return { count, countExact: false }
    count += countRows(database, driver, from, to, most + 1 - count)
    if (count > most) return { count: most, countExact: false }
  }
  return { count, countExact: true }
}

function countFound(database: DatabaseSync, { match, from, to }: Scope, driver: Driver): Count {
  const alone = {
    ...driver,
    tables: 'texts',
    conditions: ['texts MATCH $match'],
    values: { match },
  }
  const found = countRows(database, alone, from, to, maxFound + 1)
  const isAlone = driver.conditions.length === 1
  // A few are looked at one by one, whatever else is asked of them.
  if (found <= maxFound) {
    const count = isAlone ? found : countRows(database, driver, from, to)
    return { count, countExact: true }
  }
  if (isAlone) return { count: maxFound, countExact: false }
  return countSlowly(database, driver, daysOf(database, from, to), maxFound)
}

/** The days that have interceptions, the newest first, cut to a time. */
function* daysOf(
  database: DatabaseSync,
  from: number,
  to: number,
): Generator<readonly [from: number, to: number]> {
  const before = database.prepare(
    'SELECT max(at) AS at FROM cells WHERE span = 1 AND at < ? AND at > ?',
  )
  let at: unknown = before.get(to, from - day)?.at
  while (typeof at === 'number') {
    yield [Math.max(from, at), Math.min(to, at + day)]
    at = before.get(at, from - day)?.at
  }
}
