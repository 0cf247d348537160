import type { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../core/errors.ts'
import type { VerifyReport } from '../../core/store.ts'
import { isCorrupt } from './fault.ts'
import { fileFaults, ofFile } from './file-faults.ts'
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
  const broken = new Set<string>()
  /** A page that cannot be walked through ends what reads it, not the others. */
  function attempt<Result>(read: () => Result, otherwise: Result): Result {
    try {
      return read()
    } catch (error) {
      if (!isCorrupt(error)) throw error
      broken.add(messageOf(error))
      return otherwise
    }
  }
  const count = (sql: string) => attempt(() => Number(database.prepare(sql).get()?.n ?? 0), 0)
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
  const { wrong, damaged, hurt, words } = attempt(() => verifyInterceptions(database), unread)
  const derived = [
    ...wrong,
    ...attempt(() => verifyMarks(database, words), []),
    ...attempt(() => verifySessions(database), []),
    ...attempt(() => verifySums(database), []),
  ].filter(([many]) => many > 0)
  const file = attempt(() => fileFaults(database, damaged > 0), [])
  const faults = [
    ...file,
    ...(file.length > 0 ? [] : [...broken].map(ofFile)),
    ...(damaged > 0 ? [lost(damaged, hurt)] : []),
    ...(meta(database).text('backfill') === null
      ? derived.map(([many, what]) => `${many} ${what}: run reindex`)
      : ['a file of an earlier version is still being indexed: wait, or run reindex']),
  ]
  return { ...counts, ...(damaged > 0 && { damaged }), faults }
}

const unread: ReturnType<typeof verifyInterceptions> = {
  wrong: [],
  damaged: 0,
  hurt: [],
  words: null,
}

function lost(damaged: number, hurt: readonly string[]): string {
  const named = hurt.slice(0, 5).join(', ')
  const more = hurt.length > 5 ? ` and ${hurt.length - 5} more` : ''
  return `${damaged} records are damaged and left out (of interception ${named}${more}): restore a copy of the file, or import an export that has them`
}
