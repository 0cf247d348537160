import type { DatabaseSync } from 'node:sqlite'
import { startId } from '../../core/ids.ts'

/** Finds what an interception's start says, as JSON text; null where it is not stored. */
export function startBody(database: DatabaseSync): (id: string) => string | null {
  const byId = database.prepare('SELECT body FROM records WHERE interception_id = ? AND id = ?')
  // An earlier version gave it another id. This reads all records of the interception, which may be thousands.
  const byType = database.prepare(`
    SELECT body FROM records WHERE interception_id = ? AND type = 'interception_start'
    ORDER BY seq, key LIMIT 1`)
  return (id) => {
    const body = (byId.get(id, startId(id)) ?? byType.get(id))?.body
    return typeof body === 'string' ? body : null
  }
}
