import type { DatabaseSync } from 'node:sqlite'
import type { VerifyReport } from '../../core/store.ts'
import { measureColumns } from './measure-columns.ts'
import { meta } from './meta.ts'

/** Counts, and compares what is derived with what it was derived from. */
export function verify(database: DatabaseSync): VerifyReport {
  const count = (sql: string) => Number(database.prepare(sql).get()?.n ?? 0)
  const counts = {
    interceptions: count('SELECT count(*) AS n FROM interceptions WHERE started_at IS NOT NULL'),
    records: count('SELECT count(*) AS n FROM records'),
    sessions: count('SELECT count(*) AS n FROM sessions'),
    open: count(
      'SELECT count(*) AS n FROM interceptions WHERE ended = 0 AND started_at IS NOT NULL',
    ),
    orphans: count(`
      SELECT count(*) AS n FROM (SELECT DISTINCT interception_id AS id FROM records) AS known
      WHERE NOT EXISTS (
        SELECT 1 FROM interceptions
        WHERE interceptions.id = known.id AND started_at IS NOT NULL)`),
  }
  return { ...counts, faults: faultsOf(database, count) }
}

function faultsOf(database: DatabaseSync, count: (sql: string) => number): string[] {
  const damage = database
    .prepare('PRAGMA quick_check(5)')
    .all()
    .map((row) => String(Object.values(row)[0]))
    .filter((line) => line !== 'ok')
  const faults = damage.map((line) => `the file is damaged (${line}): restore a copy of it`)
  if (meta(database).text('backfill') !== null) {
    faults.push('a file of an earlier version is still being indexed: wait, or run reindex')
    return faults
  }
  const found: readonly (readonly [number, string])[] = [
    [
      count(`SELECT count(*) AS n FROM interceptions WHERE ended = 1 AND started_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM summaries WHERE summaries.id = interceptions.id)`),
      'ended interceptions have no summary',
    ],
    [
      count(`SELECT count(*) AS n FROM summaries WHERE NOT EXISTS (
        SELECT 1 FROM interceptions WHERE interceptions.id = summaries.id AND ended = 1)`),
      'summaries are of no ended interception',
    ],
    [
      count(`SELECT count(*) AS n FROM summaries WHERE NOT EXISTS (
        SELECT 1 FROM sessions WHERE sessions.key = summaries.session)`),
      'summaries are in no session',
    ],
    [
      count(`SELECT count(*) AS n FROM sessions WHERE NOT EXISTS (
        SELECT 1 FROM summaries WHERE session = sessions.key)`),
      'sessions are of no interception',
    ],
    [
      Math.abs(
        count('SELECT count(*) AS n FROM summaries WHERE text_mark <> 0') -
          count('SELECT count(*) AS n FROM texts_docsize'),
      ),
      'texts are missing in the index, or too many',
    ],
    [differences(database), 'sums differ from those of the interceptions'],
  ]
  for (const [many, what] of found) if (many > 0) faults.push(`${many} ${what}: run reindex`)
  return faults
}

/** How many measures have another sum in one of the places that have them. */
function differences(database: DatabaseSync): number {
  const sum = (from: string) => {
    const columns = measureColumns.map((column) => `coalesce(sum(${column}), 0) AS ${column}`)
    return database.prepare(`SELECT ${columns.join(', ')} FROM ${from}`).get() ?? {}
  }
  const expected = sum('summaries')
  const others = [
    'sessions',
    'cells WHERE span = 0',
    'cells WHERE span = 1',
    'totals WHERE dimension = 0',
    'totals WHERE dimension = 4',
  ].map(sum)
  return measureColumns.filter((column) =>
    others.some((other) => !isClose(Number(other[column]), Number(expected[column]))),
  ).length
}

/** Prices may be fractions: what is added in another order differs in its last digits. */
function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
}
