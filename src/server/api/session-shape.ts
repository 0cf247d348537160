import type { z } from 'zod'
import type { Measures } from '../../core/measures.ts'
import type { Session } from '../../core/session.ts'
import type { AgenticAction, Thread } from '../../core/thread.ts'
import { toolUsageShape } from './interception-shape.ts'
import type { session, sessionDetail } from './session-schema.ts'

type Detail = z.output<typeof sessionDetail>
type ThreadShape = Detail['threads'][number]

export function sessionShape(stored: Session): z.output<typeof session> {
  const { measures, lastPrompt } = stored
  return {
    ...membersOf(stored),
    threads: stored.threads,
    token_usage_summary: tokensOf(measures),
    ...(lastPrompt !== null && { last_prompt: lastPrompt }),
    ...sumsOf(measures),
  }
}

/** A session with a page of its threads. */
export function sessionDetailShape(stored: Session, threads: readonly Thread[]): Detail {
  return detailOf(stored, threads, (list, shape) => list.map(shape)) as Detail
}

/** The same for `jsonPieces`: what an agent did is shaped when it is its turn. */
export function sessionDetailParts(stored: Session, threads: readonly Thread[]): object {
  return detailOf(stored, threads, (list, shape) => ({
    *[Symbol.iterator]() {
      for (const each of list) yield shape(each)
    },
  }))
}

type Shaped = <T, S>(list: readonly T[], shape: (each: T) => S) => Iterable<S>

function detailOf(stored: Session, threads: readonly Thread[], shaped: Shaped) {
  return {
    ...membersOf(stored),
    page_started_at: extreme(
      threads.map(({ startedAt }) => startedAt),
      -1,
    ),
    page_ended_at: extreme(
      threads.map(({ endedAt }) => endedAt),
      1,
    ),
    token_usage_summary: tokensOfAll(stored),
    threads: shaped(threads, (thread) => threadShape(thread, shaped)),
    ...sumsOf(stored.measures),
  }
}

export function sumsOf({ interceptions, prompts, toolCalls, costNanoUsd, unpriced }: Measures) {
  // What is not known is no 0: whoever adds costs up would take it for free.
  const cost_nano_usd = costNanoUsd || (unpriced > 0 ? null : 0)
  return { interceptions, prompts, tool_calls: toolCalls, cost_nano_usd, unpriced }
}

export function tokensOf(measures: Measures) {
  return {
    input_tokens: measures.inputTokens,
    output_tokens: measures.outputTokens,
    cache_read_input_tokens: measures.cacheReadInputTokens,
    cache_write_input_tokens: measures.cacheWriteInputTokens,
  }
}

function membersOf(stored: Session) {
  const { initiatorName } = stored
  return {
    id: stored.id,
    initiator: {
      id: stored.initiatorId,
      username: stored.initiatorUsername,
      ...(initiatorName && { name: initiatorName }),
    },
    providers: [...stored.providers],
    provider_names: [...stored.providerNames],
    models: [...stored.models],
    client: stored.client,
    metadata: stored.metadata,
    started_at: stored.startedAt,
    ended_at: stored.endedAt,
    last_active_at: stored.lastActiveAt,
  }
}

function threadShape(thread: Thread, shaped: Shaped) {
  return {
    id: thread.id,
    ...(thread.prompt !== null && { prompt: thread.prompt }),
    model: thread.model,
    provider: thread.provider,
    provider_name: thread.providerName,
    credential_kind: thread.credentialKind,
    credential_hint: thread.credentialHint,
    outcome: thread.outcome,
    error_type: thread.errorType,
    error_message: thread.errorMessage,
    started_at: thread.startedAt,
    ended_at: thread.endedAt,
    token_usage: tokensOfAll(thread),
    agentic_actions: shaped(thread.actions, actionShape),
    ...sumsOf(thread.measures),
  } satisfies Omit<ThreadShape, 'agentic_actions'> & { readonly agentic_actions: unknown }
}

function actionShape(action: AgenticAction): ThreadShape['agentic_actions'][number] {
  return {
    interception_id: action.interceptionId,
    model: action.model,
    token_usage: tokensOfAll(action),
    thinking: action.thinking.map((text) => ({ text })),
    tool_calls: action.toolCalls.map(toolUsageShape),
  }
}

interface Used {
  readonly measures: Measures
  readonly tokenMetadata: Readonly<Record<string, number>>
}

function tokensOfAll({ measures, tokenMetadata }: Used) {
  return { ...tokensOf(measures), metadata: tokenMetadata }
}

/** The first (-1) or the last (1) of times that are told alike. */
function extreme(times: readonly string[], sign: 1 | -1): string | null {
  const sorted = times.toSorted((a, b) => sign * (Date.parse(b) - Date.parse(a)))
  return sorted[0] ?? null
}
