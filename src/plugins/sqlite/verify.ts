import type { DatabaseSync } from 'node:sqlite'
import type { VerifyReport } from '../../core/store.ts'
import { fileFaults } from './file-faults.ts'
import { meta } from './meta.ts'
import { verifyInterceptions } from './verify-interceptions.ts'
import { verifyMarks } from './verify-marks.ts'
import { verifySessions } from './verify-sessions.ts'
import { verifySums } from './verify-sums.ts'

/** How many of something are wrong, and what is. */
export type Wrong = readonly [count: number, what: string]

/**
 * Counts, reads all records, and compares what is derived of them layer by layer, as `reindex` makes it:
 * interceptions with their records, sessions with those, sums with those.
 */
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
  const { wrong, damaged, hurt, words } = verifyInterceptions(database)
  const faults = [
    ...fileFaults(database, damaged > 0),
    ...(damaged > 0 ? [lost(damaged, hurt)] : []),
  ]
  if (meta(database).text('backfill') !== null) {
    faults.push('a file of an earlier version is still being indexed: wait, or run reindex')
  } else {
    const derived = [
      ...wrong,
      ...verifyMarks(database, words),
      ...verifySessions(database),
      ...verifySums(database),
    ]
    for (const [many, what] of derived) if (many > 0) faults.push(`${many} ${what}: run reindex`)
  }
  return { ...counts, ...(damaged > 0 && { damaged }), faults }
}

function lost(damaged: number, hurt: readonly string[]): string {
  const named = hurt.slice(0, 5).join(', ')
  const more = hurt.length > 5 ? ` and ${hurt.length - 5} more` : ''
  return `${damaged} records are damaged and left out (of interception ${named}${more}): restore a copy of the file, or import an export that has them`
}
