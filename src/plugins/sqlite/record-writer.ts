import type { DatabaseSync } from 'node:sqlite'
import type { InterceptionRecord, RecordOf } from '../../core/records.ts'
import type { Derivation } from './derivation.ts'
import type { Linker } from './linker.ts'
import { type RecordRows, rowWidth } from './record-rows.ts'
import { startWriter } from './start-writer.ts'

/** Writes a batch within a transaction. */
export type WriteRecords = (rows: RecordRows) => void

type StoredValues = [
  id: string,
  interception: string,
  type: string,
  seq: number,
  createdAt: string,
  body: string,
]

/** What summaries are made of. */
const read: ReadonlySet<string> = new Set([
  'interception_start',
  'interception_end',
  'token_usage',
  'prompt_usage',
  'tool_usage',
  'model_thought',
])

export function recordWriter(
  database: DatabaseSync,
  linking: Linker,
  derived: Derivation,
): WriteRecords {
  const putRecord = database.prepare(`
    INSERT INTO records (id, interception_id, type, seq, created_at, body) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (interception_id, id) DO UPDATE SET
      type = excluded.type, created_at = excluded.created_at,
      seq = CASE WHEN excluded.type = 'interception_end' AND instr(body, '"reaped":true')
        THEN excluded.seq ELSE min(seq, excluded.seq) END,
      body = excluded.body`)
  const putStart = startWriter(database)
  const isEnded = database.prepare('SELECT 1 FROM interceptions WHERE id = ? AND ended = 1')
  const dropOther = database.prepare(
    'DELETE FROM records WHERE interception_id = ? AND type = ? AND id <> ?',
  )
  // An owner's end replaces a reaper's, a reaper's never an owner's.
  const putEnd = database.prepare(`
    INSERT INTO interceptions (id, ended, ended_at, outcome, reaped) VALUES (?, 1, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      ended = 1, ended_at = excluded.ended_at, outcome = excluded.outcome, reaped = excluded.reaped
    WHERE NOT (excluded.reaped = 1 AND ended = 1 AND reaped = 0)`)

  /** There is one of it, also where an earlier version gave it another id. */
  function replaceOthers(interception: string, type: string, id: string): void {
    if (dropOther.run(interception, type, id).changes > 0) derived.changed(interception)
  }

  function put(row: readonly (string | number)[]): void {
    const [id, interception, type, seq, createdAt, body] = row as StoredValues
    const record = read.has(type) ? (JSON.parse(body) as InterceptionRecord) : null
    if (type === 'interception_start') {
      const start = record as RecordOf<'interception_start'>
      const isNew = linking.starting(interception)
      if (isNew) derived.began(interception)
      else replaceOthers(interception, type, id)
      putStart(interception, start)
      putRecord.run(...row)
      linking.started(interception, start, isNew)
    } else {
      if (type === 'interception_end') {
        const { endedAt, outcome, reaped = false } = record as RecordOf<'interception_end'>
        const isAgain = isEnded.get(interception) !== undefined
        const { changes } = putEnd.run(interception, Date.parse(endedAt), outcome, Number(reaped))
        if (changes === 0) return
        if (isAgain) replaceOthers(interception, type, id)
      } else if (type === 'tool_usage') {
        linking.called(interception, (record as RecordOf<'tool_usage'>).toolCallId)
      }
      putRecord.run(...row)
    }
    if (!record) return
    // As it would be read again, but for a copy.
    const told = Object.assign(record, { id, interceptionId: interception, type, seq, createdAt })
    derived.wrote(interception, told as InterceptionRecord)
  }

  return (rows) => {
    for (let at = 0; at < rows.length; at += rowWidth) {
      derived.touch(String(rows[at + 1]))
      put(rows.slice(at, at + rowWidth))
    }
  }
}
