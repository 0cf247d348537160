import type { DatabaseSync } from 'node:sqlite'
import { sessionKey, wantedKey } from '../../core/links.ts'
import type { InterceptionEnd, InterceptionStart, ToolUsage } from '../../core/records.ts'
import { linker } from './linker.ts'
import { busyTimeout } from './open-database.ts'
import { batchSize, type RecordRows, rowWidth } from './record-rows.ts'

export type WriteRecords = (rows: RecordRows) => void

/** How long another process that waits to write is given after a full batch, in ms. */
const turn = 5

/** Writes batches, each in one transaction: when it returns the batch is on disk. */
export function recordWriter(database: DatabaseSync): WriteRecords {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const putRecord = database.prepare(`
    INSERT INTO records (id, interception_id, type, seq, created_at, body) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (interception_id, id) DO UPDATE SET
      type = excluded.type, seq = min(seq, excluded.seq), created_at = excluded.created_at,
      body = excluded.body`)
  const putStart = database.prepare(`
    INSERT INTO interceptions (
      id, started_at, initiator_id, initiator_username, provider, provider_name, model, client,
      session_id, client_session_id, thread_root_id, thread_parent_id, retry_of, wanted_key,
      offered_key, process_id, repo, branch, issue
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      started_at = excluded.started_at, initiator_id = excluded.initiator_id,
      initiator_username = excluded.initiator_username, provider = excluded.provider,
      provider_name = excluded.provider_name, model = excluded.model, client = excluded.client,
      client_session_id = excluded.client_session_id, retry_of = excluded.retry_of,
      wanted_key = excluded.wanted_key, offered_key = excluded.offered_key,
      process_id = excluded.process_id, repo = excluded.repo, branch = excluded.branch,
      issue = excluded.issue`)
  // An owner's end replaces a reaper's, a reaper's never an owner's.
  const putEnd = database.prepare(`
    INSERT INTO interceptions (id, ended, ended_at, outcome, reaped) VALUES (?, 1, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      ended = 1, ended_at = excluded.ended_at, outcome = excluded.outcome, reaped = excluded.reaped
    WHERE NOT (excluded.reaped = 1 AND ended = 1 AND reaped = 0)`)
  const linking = linker(database)
  database.exec('PRAGMA busy_timeout = 0')
  let fullAt = Number.NEGATIVE_INFINITY

  function put(rows: RecordRows, at: number): void {
    const [id, interception, type, seq, createdAt, body] = rows.slice(at, at + rowWidth) as [
      string,
      string,
      string,
      number,
      string,
      string,
    ]
    if (type === 'interception_start') {
      const start = JSON.parse(body) as InterceptionStart
      const isNew = linking.starting(interception)
      putStart.run(
        interception,
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
        start.threadParentId,
        start.retryOf,
        wantedKey(start),
        sessionKey(start),
        start.processId,
        start.annotations.repo ?? null,
        start.annotations.branch ?? null,
        start.annotations.issue ?? null,
      )
      putRecord.run(id, interception, type, seq, createdAt, body)
      linking.started(interception, start, isNew)
      return
    } else if (type === 'interception_end') {
      const { endedAt, outcome, reaped = false } = JSON.parse(body) as InterceptionEnd
      const { changes } = putEnd.run(interception, Date.parse(endedAt), outcome, Number(reaped))
      if (changes === 0) return
    } else if (type === 'tool_usage') {
      linking.called(interception, (JSON.parse(body) as ToolUsage).toolCallId)
    }
    putRecord.run(id, interception, type, seq, createdAt, body)
  }

  return (rows) => {
    // A writer that comes back at once would win the lock again and again: SQLite's lock has no queue.
    const early = fullAt + turn - performance.now()
    if (early > 0) sleep(early)
    whenFree(() => begin.run())
    try {
      for (let at = 0; at < rows.length; at += rowWidth) put(rows, at)
      linking.link()
      commit.run()
    } catch (error) {
      linking.forget()
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
    if (rows.length >= batchSize * rowWidth) fullAt = performance.now()
  }
}

/**
 * Asks every millisecond for the lock that another process holds. SQLite's own wait falls back to asking
 * every 100 ms, and whoever waits longest then asks least.
 */
function whenFree(begin: () => void): void {
  const until = performance.now() + busyTimeout
  for (;;) {
    try {
      begin()
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      sleep(1)
    }
  }
}

/** https://sqlite.org/rescode.html#busy, or one of its extended codes, which carry it in the low byte. */
function isBusy(error: unknown): boolean {
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === 5
}

/** Blocks this thread, which has nothing else to do. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
