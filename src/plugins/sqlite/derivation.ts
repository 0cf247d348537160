import type { DatabaseSync } from 'node:sqlite'
import { parseJson } from '../../core/json.ts'
import type { Links } from '../../core/links.ts'
import type { StoredInterception } from '../../core/recorder.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { isSoundBody } from '../../core/sound-record.ts'
import { storedInterception } from '../../core/stored-interception.ts'
import { summaryOf } from '../../core/summary.ts'
import { type Entry, entryOf } from './entry.ts'
import { parsedOr } from './parsed-or.ts'
import type { Salvage } from './salvage.ts'
import { isSameSummary } from './same-summary.ts'
import { sessionRows } from './session-rows.ts'
import { type SummaryRow, summaryRows } from './summary-rows.ts'
import { sums } from './sums.ts'
import { vocabulary } from './vocabulary.ts'

/**
 * Keeps what is derived in step with the records: in the transaction that changes an interception, once at its
 * end, the summary that it had is taken out of its session and sums, and the one that it has now put in.
 */
export interface Derivation {
  touch(id: string): void
  /** All records of an interception that this transaction began are told, so that none is read again. */
  began(id: string): void
  wrote(id: string, record: InterceptionRecord): void
  /** What was told of an interception is no longer all. */
  changed(id: string): void
  touched(): Iterable<string>
  /** Takes out what is derived of an interception that is about to be deleted. */
  remove(id: string): boolean
  /** All of a session anew; 0 that of none. */
  rebuildSession(key: number): void
  settle(): void
  forget(): void
  /** Another process may have given other numbers to names. */
  forgetNames(): void
}

export function derivation(
  database: DatabaseSync,
  salvaged: Salvage,
  emptied: () => number | null,
): Derivation {
  const state = database.prepare(`
    SELECT thread_parent_id AS threadParentId, thread_root_id AS threadRootId,
      session_id AS sessionId
    FROM interceptions WHERE id = ? AND ended = 1 AND started_at IS NOT NULL`)
  const recordsOf = database.prepare(`
    SELECT id, type, seq, created_at, body FROM records
    WHERE interception_id = ? AND type NOT IN ('tool_result', 'answer')`)
  const words = vocabulary(database)
  const rows = summaryRows(database)
  const sessions = sessionRows(database, words)
  const cells = sums(database)
  const markForgotten = database.prepare(
    "UPDATE meta SET value = max(value, ?) WHERE name = 'forgotten_feed'",
  )
  const markWordy = database.prepare('INSERT OR IGNORE INTO wordy VALUES (?)')
  const pending = new Set<string>()
  const told = new Map<string, Map<string, InterceptionRecord>>()

  /** Null where one of them cannot be read. */
  function stored(id: string): StoredInterception | null {
    const records: InterceptionRecord[] = []
    for (const row of recordsOf.all(id)) {
      const record = parseJson(String(row.body)) as Record<string, unknown> | undefined
      if (typeof row.seq !== 'number' || typeof row.created_at !== 'string') return null
      if (!isSoundBody(String(row.type), record)) return null
      record.id = row.id
      record.interceptionId = id
      record.type = row.type
      record.seq = row.seq
      record.createdAt = row.created_at
      records.push(record as unknown as InterceptionRecord)
    }
    const found = storedInterception(records)
    return found?.end ? found : null
  }

  function read(id: string): StoredInterception | null {
    const records = told.get(id)
    if (records) return storedInterception([...records.values()])
    // One that has begun and ended lacks its start or end: what is left is looked for.
    return stored(id) ?? storedInterception(salvaged(id).records)
  }

  function current(id: string): Entry | null {
    const links = state.get(id) as Links | undefined
    if (!links) return null
    const found = read(id)
    if (!found) return null
    const linked = { ...found, start: { ...found.start, ...links } }
    const summary = summaryOf(linked)
    return summary && entryOf(linked, summary)
  }

  function subtract(row: SummaryRow, keepFeed: boolean): void {
    rows.remove(row, keepFeed)
    sessions.subtract(row)
    const tools = Object.entries(parsedOr<Record<string, number>>(row.tools, {}))
    cells.add({ ...row, tools: tools.map(([tool, calls]) => [words.name(tool), calls]) }, -1)
  }

  function bringUpToDate(id: string): void {
    const entry = current(id)
    const row = rows.find(id)
    if (!entry) {
      if (row) subtract(row, false)
      return
    }
    const { summary } = entry
    const session = sessions.keyOf(summary.sessionId, summary.initiatorId)
    const initiator = words.initiator(summary.initiatorId, summary.initiatorUsername)
    const combo = words.combo({ ...summary, initiator })
    if (row && isSameSummary(row, entry, session, combo)) return
    // An end that takes a reaper's place is news to those who follow the feed.
    const isNews = row?.reaped === 1 && entry.reaped === 0
    const feed = row && !isNews && rows.hasPlace(row) ? row.feed : null
    if (row) subtract(row, feed !== null)
    // What had content while it ran is emptied by the next prune.
    else if (entry.startedAt < (emptied() ?? -Infinity)) markWordy.run(id)
    rows.insert(entry, { session, combo, feed }, words.name)
    sessions.add(session, entry)
    const tools = Object.entries(summary.tools).map(
      ([tool, calls]) => [words.name(tool), calls] as const,
    )
    cells.add({ startedAt: entry.startedAt, combo, measures: entry.measures, tools }, 1)
  }

  return {
    touch: (id) => pending.add(id),
    touched: () => pending,
    began: (id) => told.set(id, new Map()),
    wrote(id, record) {
      const records = told.get(id)
      if (!records) return
      const seq = Math.min(records.get(record.id)?.seq ?? record.seq, record.seq)
      records.set(record.id, { ...record, seq })
    },
    changed: (id) => told.delete(id),
    remove(id) {
      pending.delete(id)
      told.delete(id)
      const row = rows.find(id)
      if (!row) return false
      subtract(row, false)
      markForgotten.run(row.feed)
      return true
    },
    rebuildSession: (key) => sessions.rebuild(key),
    settle() {
      for (const id of pending) bringUpToDate(id)
      pending.clear()
      told.clear()
      sessions.flush()
      cells.flush()
      rows.done()
    },
    forget() {
      pending.clear()
      told.clear()
      sessions.forget()
      cells.forget()
      rows.done()
      words.forget()
    },
    forgetNames: () => words.forget(),
  }
}
