import type { DatabaseSync } from 'node:sqlite'
import { startId } from '../../core/ids.ts'
import { parseJson } from '../../core/json.ts'
import type { InterceptionStart } from '../../core/records.ts'
import { isSoundBody } from '../../core/sound-record.ts'
import type { Salvage } from './salvage.ts'

/** Finds an interception's start; of a damaged one what the store knows beside. Null where none is stored. */
export function storedStart(
  database: DatabaseSync,
  salvaged: Salvage,
): (id: string) => InterceptionStart | null {
  const byId = database.prepare('SELECT body FROM records WHERE interception_id = ? AND id = ?')
  // An earlier version gave it another id. This reads all records of the interception, which may be thousands.
  const byType = database.prepare(`
    SELECT body FROM records WHERE interception_id = ? AND type = 'interception_start'
    ORDER BY seq, key LIMIT 1`)
  return (id) => {
    const row = byId.get(id, startId(id)) ?? byType.get(id)
    if (!row) return null
    const body = typeof row.body === 'string' ? parseJson(row.body) : undefined
    if (isSoundBody('interception_start', body)) return body as unknown as InterceptionStart
    const start = salvaged(id).records.find(({ type }) => type === 'interception_start')
    return start ? (start as InterceptionStart & typeof start) : null
  }
}
