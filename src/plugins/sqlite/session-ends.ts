import type { DatabaseSync } from 'node:sqlite'
import type { Entry } from './entry.ts'
import { asNumbers, measureColumns } from './measure-columns.ts'
import { parsedOr } from './parsed-or.ts'
import { addNumbers, noTokens } from './token-sums.ts'

/** What of a session is no sum: of its first interception, its newest prompt, and what occurs in it. */
export interface Ends {
  readonly firstId: string
  readonly startedAt: number
  readonly endedAt: number
  readonly username: string
  readonly client: string
  readonly prompt: PromptMark | null
  readonly providers: readonly string[]
  readonly providerNames: readonly string[]
  readonly models: readonly string[]
}

export interface PromptMark {
  /** The interception's id. */
  readonly owner: string
  readonly id: string
  readonly at: number
}

type Row = Readonly<Record<string, unknown>>

/** How they are made: of the session's row and what came, or of all its summaries. */
export function sessionEnds(database: DatabaseSync) {
  const kindOf = database.prepare(`
    SELECT username, client, providers, provider_names, models
    FROM kinds JOIN initiators ON initiators.key = initiator WHERE kinds.key = ?`)
  const first = database.prepare(`
    SELECT summaries.id, summaries.key >> 20 AS started_at, username, text AS client
    FROM summaries JOIN combos ON combos.key = combo
      JOIN initiators ON initiators.key = initiator JOIN names ON names.key = client
    WHERE session = $key AND summaries.key < (
      SELECT ((min(key) >> 20) + 1) << 20 FROM summaries WHERE session = $key)
    ORDER BY summaries.id LIMIT 1`)
  const last = database.prepare(
    'SELECT max(ended_at) AS ended_at, max(prompt_at) AS prompt_at FROM summaries WHERE session = ?',
  )
  const occurring = database.prepare(`
    SELECT DISTINCT p.text AS provider, n.text AS provider_name, m.text AS model
    FROM (SELECT DISTINCT combo FROM summaries WHERE session = ?) JOIN combos ON combos.key = combo
      JOIN names p ON p.key = provider JOIN names n ON n.key = provider_name
      JOIN names m ON m.key = model`)
  const prompts = database.prepare(`
    SELECT interception_id AS owner, records.id, created_at
    FROM summaries JOIN records ON interception_id = summaries.id
    WHERE session = ? AND prompt_at = ? AND type = 'prompt_usage' AND json_valid(body)`)
  // A value that JavaScript has not would end the walk half-way, and the connection stay at its moment.
  const summaries = database.prepare(`
    SELECT ${asNumbers(['root', ...measureColumns], 'summaries')}, token_metadata
    FROM summaries WHERE session = ?`)

  return {
    extend(row: Row | undefined, added: readonly Entry[]): Ends {
      const before = row && kindOf.get(Number(row.kind))
      const startOf = (entry: Entry) => ({
        id: entry.summary.id,
        startedAt: entry.startedAt,
        username: entry.summary.initiatorUsername,
        client: entry.summary.client,
      })
      const begun = row && {
        id: String(row.first_id),
        startedAt: Number(row.started_at),
        username: String(before?.username),
        client: String(before?.client),
      }
      const starts = [...(begun ? [begun] : []), ...added.map(startOf)]
      const earliest = starts.reduce((a, b) => (isBefore(b, a) ? b : a))
      const marks = [row && promptOf(row), ...added.map(promptMark)].filter((mark) => mark != null)
      const lists = added.map(({ summary }) => summary)
      return {
        firstId: earliest.id,
        startedAt: earliest.startedAt,
        endedAt: Math.max(Number(row?.ended_at ?? -Infinity), ...added.map((each) => each.endedAt)),
        username: earliest.username,
        client: earliest.client,
        prompt: newest(marks),
        providers: distinct(
          parsedOr(before?.providers, []),
          lists.map(({ provider }) => provider),
        ),
        providerNames: distinct(
          parsedOr(before?.provider_names, []),
          lists.map(({ providerName }) => providerName),
        ),
        models: distinct(
          parsedOr(before?.models, []),
          lists.map(({ model }) => model),
        ),
      }
    },
    read(key: number): Ends {
      const start = first.get({ key })
      const end = last.get(key)
      const promptAt = end?.prompt_at ?? null
      const names = occurring.all(key)
      const marks =
        promptAt === null
          ? []
          : prompts
              .all(key, promptAt)
              .map((each) => ({
                owner: String(each.owner),
                id: String(each.id),
                at: Date.parse(String(each.created_at)),
              }))
              // A later one is damaged: its interception was summarised without it.
              .filter(({ at }) => at === promptAt)
      return {
        firstId: String(start?.id),
        startedAt: Number(start?.started_at),
        endedAt: Number(end?.ended_at),
        username: String(start?.username),
        client: String(start?.client),
        prompt: newest(marks),
        providers: distinct(
          [],
          names.map((row) => String(row.provider)),
        ),
        providerNames: distinct(
          [],
          names.map((row) => String(row.provider_name)),
        ),
        models: distinct(
          [],
          names.map((row) => String(row.model)),
        ),
      }
    },
    totals(key: number) {
      const measures = measureColumns.map(() => 0)
      const tokens = noTokens()
      let threads = 0
      for (const row of summaries.iterate(key)) {
        if (row.root === 1) threads++
        for (const [at, column] of measureColumns.entries())
          measures[at] = (measures[at] ?? 0) + Number(row[column])
        addNumbers(tokens, parsedOr(row.token_metadata, {}), 1)
      }
      return { threads, measures, tokens }
    },
  }
}

function isBefore(
  a: { readonly id: string; readonly startedAt: number },
  b: { readonly id: string; readonly startedAt: number },
): boolean {
  return a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.id < b.id)
}

function promptOf(row: Row): PromptMark | null {
  if (row.prompt_at === null) return null
  return { owner: String(row.prompted_id), id: String(row.prompt_id), at: Number(row.prompt_at) }
}

function promptMark({ summary, promptAt }: Entry): PromptMark | null {
  return summary.lastPrompt && promptAt !== null
    ? { owner: summary.id, id: summary.lastPrompt.id, at: promptAt }
    : null
}

function newest(marks: readonly PromptMark[]): PromptMark | null {
  return marks.reduce<PromptMark | null>(
    (a, b) => (!a || b.at > a.at || (b.at === a.at && b.id > a.id) ? b : a),
    null,
  )
}

function distinct(known: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...known, ...more])].sort()
}
