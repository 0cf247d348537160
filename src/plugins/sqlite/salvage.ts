import type { DatabaseSync } from 'node:sqlite'
import { endId, startId } from '../../core/ids.ts'
import { parseJson } from '../../core/json.ts'
import type { DamagedRecord } from '../../core/recorder.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { isSoundBody } from '../../core/sound-record.ts'
import { type KnownRow, knownEnd, knownStart } from './known-bounds.ts'

/** An interception as far as it can be read. */
export interface Salvaged {
  /** The start and the end, where these are damaged, by what the store knows beside. */
  readonly records: readonly InterceptionRecord[]
  readonly damaged: readonly DamagedRecord[]
}

/** Reads an interception record by record: for when one that should be there is not, or is not what it should be. */
export type Salvage = (id: string) => Salvaged

export function salvage(database: DatabaseSync): Salvage {
  // A flipped bit makes another type of a column, too, or a number that JavaScript has not.
  const rows = database.prepare(`
    SELECT CAST(id AS TEXT) AS id, CAST(type AS TEXT) AS type, CAST(seq AS REAL) AS seq,
      CAST(created_at AS TEXT) AS created_at, CASE typeof(body) WHEN 'text' THEN body END AS body,
      typeof(seq) = 'integer' AND typeof(created_at) = 'text' AS is_stamped
    FROM records WHERE interception_id = ?`)
  const known = database.prepare(`
    SELECT CAST(started_at AS REAL) AS started_at, CAST(ended_at AS REAL) AS ended_at, ended, reaped,
      outcome, initiator_id, initiator_username, provider, provider_name, model, client,
      session_id, client_session_id, thread_root_id, thread_parent_id, process_id, retry_of,
      wanted_key, offered_key, repo, branch, issue,
      (SELECT CAST(root AS REAL) FROM summaries WHERE summaries.id = interceptions.id) AS root
    FROM interceptions WHERE id = ?`)

  return (id) => {
    const records: InterceptionRecord[] = []
    const damaged: DamagedRecord[] = []
    for (const row of rows.all(id)) {
      const stamp = {
        id: String(row.id),
        type: typeOf(id, row),
        seq: Number(row.seq),
        createdAt: String(row.created_at),
      }
      const body = typeof row.body === 'string' ? parseJson(row.body) : undefined
      const isSound = isSoundBody(stamp.type, body)
      if (isSound) records.push({ ...body, ...stamp, interceptionId: id } as InterceptionRecord)
      const isStamped = row.is_stamped === 1 && !Number.isNaN(Date.parse(stamp.createdAt))
      if (!isSound || !isStamped || stamp.type !== row.type) damaged.push(stamp)
    }
    const row = known.get(id) as KnownRow | undefined
    for (const [type, restored] of [
      ['interception_start', knownStart],
      ['interception_end', knownEnd],
    ] as const) {
      const lost = damaged.find((each) => each.type === type)
      if (!lost || !row || records.some((each) => each.type === type)) continue
      const record = restored(row, { ...lost, interceptionId: id })
      if (record) records.push(record)
    }
    return { records, damaged: damaged.toSorted((a, b) => a.seq - b.seq) }
  }
}

/** The ids of these two tell what they are. */
function typeOf(interception: string, row: Readonly<Record<string, unknown>>): string {
  if (row.id === startId(interception)) return 'interception_start'
  if (row.id === endId(interception)) return 'interception_end'
  return String(row.type)
}
