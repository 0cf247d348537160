import { stringify } from 'csv-stringify/sync'
import { annotationNames } from '../core/annotations.ts'
import type { Measures } from '../core/measures.ts'
import type { StoredInterception } from '../core/recorder.ts'
import type { InterceptionEnd } from '../core/records.ts'
import { summaryOf } from '../core/summary.ts'

/** A row of CSV for each, with the sums of what it used. */
export function csvRows(page: readonly StoredInterception[]): string {
  return csv(
    page.map((stored) => {
      const sums = sumsOf(stored)
      return Object.values(columns).map((column) => column(stored, sums))
    }),
  )
}

/** The first row: the names of the columns. */
export function csvHead(): string {
  return csv([Object.keys(columns)])
}

type Column = (stored: StoredInterception, sums: Measures) => string | number | null | undefined

const columns: Readonly<Record<string, Column>> = {
  id: ({ id }) => id,
  started_at: ({ start }) => start.startedAt,
  ended_at: ({ end }) => end?.endedAt,
  initiator_id: ({ start }) => start.initiatorId,
  initiator_username: ({ start }) => start.initiatorUsername,
  provider: ({ start }) => start.provider,
  provider_name: ({ start }) => start.providerName,
  format: ({ start }) => start.format,
  model: ({ start }) => start.model,
  client: ({ start }) => start.client,
  session_id: ({ start }) => start.sessionId,
  thread_root_id: ({ start }) => start.threadRootId,
  purpose: ({ start }) => start.purpose,
  streaming: ({ start }) => String(start.streaming),
  outcome: ({ end }) => end?.outcome,
  error_type: ({ end }) => end?.errorType,
  http_status: ({ end }) => end?.httpStatus,
  finish_reason: ({ end }) => end?.finishReason,
  duration_ms: ({ end }) => end?.durationMs,
  time_to_first_token_ms: ({ end }) => end?.timeToFirstTokenMs,
  ...Object.fromEntries(
    annotationNames.map((name): [string, Column] => [
      name,
      ({ start }) => start.annotations[name] ?? null,
    ]),
  ),
  prompts: (_, { prompts }) => prompts,
  tool_calls: (_, { toolCalls }) => toolCalls,
  tools: ({ toolUsages }) => [...new Set(toolUsages.map(({ tool }) => tool))].join(' '),
  input_tokens: (_, { inputTokens }) => inputTokens,
  output_tokens: (_, { outputTokens }) => outputTokens,
  cache_read_input_tokens: (_, { cacheReadInputTokens }) => cacheReadInputTokens,
  cache_write_input_tokens: (_, { cacheWriteInputTokens }) => cacheWriteInputTokens,
  // What is not known is no 0: whoever adds a column up would take it for free.
  cost_nano_usd: (_, { costNanoUsd, unpriced }) => costNanoUsd || (unpriced ? null : 0),
  unpriced: (_, { unpriced }) => unpriced,
}

/** Of one that still runs: what it used until now. */
function sumsOf(stored: StoredInterception): Measures {
  const end = stored.end ?? ({} as InterceptionEnd)
  return summaryOf({ ...stored, end })?.measures as Measures
}

/** What strangers wrote must not run as a formula where it is opened: such cells begin with an apostrophe. */
function csv(rows: readonly (readonly ReturnType<Column>[])[]): string {
  return stringify([...rows], { escape_formulas: true })
}
