import type { DatabaseSync } from 'node:sqlite'
import type { Entry } from './entry.ts'
import { asNumbers, measureColumns, sessionNumbers } from './measure-columns.ts'
import { parsedOr } from './parsed-or.ts'
import { type Ends, type PromptMark, sessionEnds } from './session-ends.ts'
import type { SummaryRow } from './summary-rows.ts'
import { addNumbers, addSums, noTokens, type TokenSums, tokenSums } from './token-sums.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Gathers what a transaction changes in sessions, and writes each session once. */
export interface SessionRows {
  keyOf(id: string, initiatorId: string): number
  add(key: number, entry: Entry): void
  subtract(row: SummaryRow): void
  /** After the summaries are written. */
  flush(): void
  /** All of the session anew from its summaries. */
  rebuild(key: number): void
  forget(): void
}

interface Change {
  readonly added: Entry[]
  /** The figures are not differences. */
  readonly anew: boolean
  removed: boolean
  threads: number
  readonly by: number[]
  readonly tokens: TokenSums
}

export function sessionRows(database: DatabaseSync, words: Vocabulary): SessionRows {
  const find = database.prepare('SELECT key FROM sessions WHERE id = ? AND initiator_id = ?')
  // Nor one that summaries name: were its session missing, they would be taken for this one's.
  const lastKey = database.prepare(`
    SELECT max(coalesce((SELECT max(key) FROM sessions), 0),
      coalesce((SELECT max(session) FROM summaries), 0)) AS key`)
  const get = database.prepare(`
    SELECT id, initiator_id, first_id, prompted_id, prompt_id, token_metadata,
      ${asNumbers(sessionNumbers, 'sessions')}
    FROM sessions WHERE key = ?`)
  const drop = database.prepare('DELETE FROM sessions WHERE key = ?')
  const columns = [
    ...['key', 'id', 'initiator_id', 'kind', 'first_id', 'started_at', 'ended_at'],
    ...['last_active_at', 'prompted_id', 'prompt_id', 'prompt_at', 'threads'],
    ...measureColumns,
    'token_metadata',
  ]
  const put = database.prepare(`
    INSERT INTO sessions (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (key) DO UPDATE SET
      ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`)
  const countKind = database.prepare('UPDATE kinds SET sessions = sessions + ? WHERE key = ?')
  const ends = sessionEnds(database)
  const changes = new Map<number, Change>()
  const kinds = new Map<number, number>()
  /** Those that are not written yet. */
  const keys = new Map<string, number>()
  const names = new Map<number, readonly [id: string, initiatorId: string]>()
  let last: number | null = null

  function changeOf(key: number): Change {
    let change = changes.get(key)
    if (!change) {
      const by = measureColumns.map(() => 0)
      change = { added: [], anew: false, removed: false, threads: 0, by, tokens: noTokens() }
      changes.set(key, change)
    }
    return change
  }

  function count(kind: number, by: number): void {
    kinds.set(kind, (kinds.get(kind) ?? 0) + by)
  }

  function write(key: number, change: Change): void {
    const row = get.get(key)
    const [id, initiatorId] = row
      ? [String(row.id), String(row.initiator_id)]
      : (names.get(key) ?? ['', ''])
    const base = change.anew ? undefined : row
    const sums = measureColumns.map(
      (column, at) => Number(base?.[column] ?? 0) + (change.by[at] ?? 0),
    )
    if (row) count(Number(row.kind), -1)
    if ((sums[0] ?? 0) <= 0) {
      if (row) drop.run(key)
      return
    }
    const now: Ends = change.removed ? ends.read(key) : ends.extend(row, change.added)
    const kind = words.kind({
      initiator: words.initiator(initiatorId, now.username),
      client: now.client,
      providers: JSON.stringify(now.providers),
      providerNames: JSON.stringify(now.providerNames),
      models: JSON.stringify(now.models),
    })
    count(kind, 1)
    const before = base ? tokenSums(base.token_metadata) : noTokens()
    put.run(
      ...[key, id, initiatorId, kind, now.firstId, now.startedAt, now.endedAt],
      now.prompt?.at ?? now.startedAt,
      ...promptValues(now.prompt),
      Number(base?.threads ?? 0) + change.threads,
      ...sums,
      JSON.stringify(addSums(before, change.tokens)),
    )
  }

  const rows: SessionRows = {
    keyOf(id, initiatorId) {
      const found = find.get(id, initiatorId)
      if (found) return Number(found.key)
      const label = JSON.stringify([id, initiatorId])
      let key = keys.get(label)
      if (key === undefined) {
        last ??= Number(lastKey.get()?.key ?? 0)
        key = ++last
        keys.set(label, key)
        names.set(key, [id, initiatorId])
      }
      return key
    },
    add(key, entry) {
      const change = changeOf(key)
      change.added.push(entry)
      if (entry.root === 1) change.threads++
      for (const [at, value] of entry.measures.entries())
        change.by[at] = (change.by[at] ?? 0) + value
      addNumbers(change.tokens, entry.summary.tokenMetadata, 1)
    },
    subtract({ session, root, measures, tokenMetadata }) {
      const change = changeOf(session)
      change.removed = true
      if (root === 1) change.threads--
      for (const [at, value] of measures.entries()) change.by[at] = (change.by[at] ?? 0) - value
      addNumbers(change.tokens, parsedOr(tokenMetadata, {}), -1)
    },
    flush() {
      for (const [key, change] of changes) write(key, change)
      for (const [kind, by] of kinds) if (by !== 0) countKind.run(by, kind)
      rows.forget()
    },
    rebuild(key) {
      const { threads, measures, tokens } = ends.totals(key)
      changes.set(key, { added: [], anew: true, removed: true, threads, by: [...measures], tokens })
    },
    forget() {
      changes.clear()
      kinds.clear()
      keys.clear()
      names.clear()
      last = null
    },
  }
  return rows
}

function promptValues(prompt: PromptMark | null): (string | number | null)[] {
  return prompt ? [prompt.owner, prompt.id, prompt.at] : [null, null, null]
}
