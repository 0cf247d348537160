import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { InterceptionRecord, RecordOf } from '../../../src/core/records.ts'
import { migrate } from '../../../src/plugins/sqlite/migrations.ts'
import { bodyText } from '../../../src/plugins/sqlite/record-rows.ts'

/** A file as an earlier version left it: of schema 1 (no links yet), 2 or 3. */
export function oldStore(
  path: string,
  schema: number,
  records: readonly InterceptionRecord[],
): void {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL')
  migrate(database, path, schema)
  const putRecord = database.prepare(`
    INSERT INTO records (id, interception_id, type, seq, created_at, body)
    VALUES (?, ?, ?, ?, ?, ?)`)
  const putStart = database.prepare(`
    INSERT INTO interceptions (
      id, started_at, initiator_id, initiator_username, provider, provider_name, model, client,
      session_id, client_session_id, thread_root_id, process_id
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const putEnd = database.prepare(
    'UPDATE interceptions SET ended = 1, ended_at = ?, outcome = ? WHERE id = ?',
  )
  for (const record of records) {
    const { id, interceptionId, type, seq, createdAt } = record
    putRecord.run(id, interceptionId, type, seq, createdAt, bodyText(record))
    if (type === 'interception_start') putStart.run(interceptionId, ...startValues(record))
    if (type === 'interception_end')
      putEnd.run(Date.parse(record.endedAt), record.outcome, interceptionId)
  }
  database.close()
}

function startValues(start: RecordOf<'interception_start'>): (string | number | null)[] {
  return [
    Date.parse(start.startedAt),
    start.initiatorId,
    start.initiatorUsername,
    start.provider,
    start.providerName,
    start.model,
    start.client,
    start.sessionId,
    start.clientSessionId,
    start.threadRootId,
    start.processId,
  ]
}
