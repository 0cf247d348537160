import type { DatabaseSync } from 'node:sqlite'
import { recordText, type StoredRow } from './record-rows.ts'

/** Interceptions by their ids, in that order: each the JSON text `{ links, records }`. */
export function interceptionTexts(database: DatabaseSync): (ids: readonly string[]) => string[] {
  const recordsOf = database.prepare(`
    SELECT id, interception_id, type, seq, created_at, body FROM records
    WHERE interception_id IN (SELECT value FROM json_each(?))`)
  const linksOf = database.prepare(`
    SELECT id, thread_parent_id, thread_root_id, session_id FROM interceptions
    WHERE id IN (SELECT value FROM json_each(?))`)

  return (ids) => {
    const list = JSON.stringify(ids)
    const links = new Map(linksOf.all(list).map((row) => [row.id, linksText(row)]))
    const texts = new Map<string, string[]>(ids.map((id) => [id, []]))
    for (const row of recordsOf.all(list) as unknown as StoredRow[])
      texts.get(row.interception_id)?.push(recordText(row))
    return [...texts].map(
      ([id, records]) => `{"links":${links.get(id) ?? 'null'},"records":[${records.join(',')}]}`,
    )
  }
}

function linksText(row: Record<string, unknown>): string {
  return JSON.stringify({
    threadParentId: row.thread_parent_id,
    threadRootId: row.thread_root_id,
    sessionId: row.session_id,
  })
}
