import type { DatabaseSync } from 'node:sqlite'
import { recordText, type StoredRow } from './record-rows.ts'
import { salvage } from './salvage.ts'

/** Interceptions, each as JSON text: its links, whether it has begun and ended, its records. */
export interface IdTexts {
  readonly ids: readonly string[]
  readonly texts: readonly string[]
}

/** Interceptions by their ids, in that order. A text that does not parse, or lacks what it should have, is damaged. */
export function interceptionTexts(database: DatabaseSync) {
  const recordsOf = database.prepare(`
    SELECT id, interception_id, type, seq, created_at, body FROM records
    WHERE interception_id IN (SELECT value FROM json_each(?))`)
  const stateOf = database.prepare(`
    SELECT id, thread_parent_id, thread_root_id, session_id, started_at IS NOT NULL AS begun, ended
    FROM interceptions WHERE id IN (SELECT value FROM json_each(?))`)
  const salvaged = salvage(database)

  function read(ids: readonly string[]): Map<string, string[]> {
    const texts = new Map<string, string[]>(ids.map((id) => [id, []]))
    for (const row of recordsOf.all(JSON.stringify(ids)) as unknown as StoredRow[])
      texts.get(row.interception_id)?.push(recordText(row))
    return texts
  }

  function statesOf(ids: readonly string[]): Map<unknown, string> {
    return new Map(stateOf.all(JSON.stringify(ids)).map((row) => [row.id, stateText(row)]))
  }

  return {
    whole(ids: readonly string[]): IdTexts {
      const states = statesOf(ids)
      const texts = orEach(ids, read)
      return {
        ids: [...texts.keys()],
        texts: [...texts].map(
          ([id, records]) => `{${states.get(id) ?? ''}"records":[${records.join(',')}]}`,
        ),
      }
    },
    /** The same, with what can be read of those that are damaged. */
    salvaged(ids: readonly string[]): string[] {
      const states = statesOf(ids)
      return ids.map((id) => {
        const { records, damaged } = salvaged(id)
        const list = `"records":${JSON.stringify(records)},"damaged":${JSON.stringify(damaged)}`
        return `{${states.get(id) ?? ''}${list}}`
      })
    },
  }
}

/** Where one of them has what cannot even be read from its row, the others are read without it. */
function orEach(
  ids: readonly string[],
  read: (ids: readonly string[]) => Map<string, string[]>,
): Map<string, string[]> {
  try {
    return read(ids)
  } catch (error) {
    if (isOfFile(error)) throw error
  }
  const texts = ids.map((id): [string, string[]] => {
    try {
      return [id, read([id]).get(id) ?? []]
    } catch (error) {
      if (isOfFile(error)) throw error
      return [id, [damagedText]]
    }
  })
  return new Map(texts)
}

/** What SQLite itself says is of the file, not of a value in it. */
function isOfFile(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_SQLITE_ERROR'
}

/** No JSON: whoever parses it asks for what can be salvaged. */
const damagedText = 'damaged'

function stateText(row: Record<string, unknown>): string {
  const links = JSON.stringify({
    threadParentId: row.thread_parent_id,
    threadRootId: row.thread_root_id,
    sessionId: row.session_id,
  })
  return `"links":${links},"begun":${row.begun},"ended":${row.ended},`
}
