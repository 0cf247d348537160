import type { DatabaseSync } from 'node:sqlite'
import type { Erasure, Erasures } from '../../core/store.ts'

/** Who was erased, and which of these interceptions were. */
export function erasures(database: DatabaseSync, among: readonly string[]): Erasures {
  const initiators = database
    .prepare('SELECT initiator, before FROM tombstones')
    .all()
    .map(
      ({ initiator, before }): Erasure => ({
        hash: String(initiator),
        of: 'id',
        until: new Date(Number(before)).toISOString(),
      }),
    )
  const interceptions = database
    .prepare('SELECT id FROM erased WHERE id IN (SELECT value FROM json_each(?))')
    .all(JSON.stringify(among))
    .map(({ id }) => String(id))
  return { initiators, interceptions }
}
