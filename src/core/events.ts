import type { OperatorFunction } from 'rxjs'
import { filter } from 'rxjs'

/**
 * What a frame means, the same for all formats. Events are flat, frozen objects; one interception's
 * stream is `request`, then what the reply says in the order it says it, then exactly one `end`.
 */
export type InterceptionEvent =
  | RequestEvent
  | TextEvent
  | ReasoningEvent
  | ToolCallEvent
  | UsageEvent
  | FinishEvent
  | ErrorEvent
  | EndEvent

/** The request as it was read, before anything was sent upstream. */
export interface RequestEvent {
  readonly type: 'request'
  readonly model: string
  readonly prompt: Prompt | null
  /** Results of tools that the client ran, in the order of the request's last turn. */
  readonly toolResults: readonly ToolResult[]
}

export interface Prompt {
  /** What the user wrote, less what the client wrapped around it. */
  readonly text: string
  /** The text as it stood in the request. */
  readonly raw: string
}

export interface ToolResult {
  /** The id of the call that is answered. */
  readonly toolCallId: string
  readonly isError: boolean
  /** UTF-8 length of the content. */
  readonly bytes: number
  readonly content: string
}

/** A piece of the answer's text: a delta in a stream, the whole text otherwise. */
export interface TextEvent {
  readonly type: 'text'
  readonly messageId: string
  /** Which of several alternative answers (Chat's `n`); 0 elsewhere. */
  readonly choice: number
  readonly text: string
}

export type ReasoningSource =
  | 'thinking'
  | 'redacted_thinking'
  | 'reasoning_summary'
  | 'reasoning_text'
  | 'commentary'
  | 'reasoning_content'

/** One whole block of reasoning; what came of it where the stream broke off. */
export interface ReasoningEvent {
  readonly type: 'reasoning'
  readonly messageId: string
  readonly source: ReasoningSource
  /** Position among the blocks of reasoning of its reply, from 0. */
  readonly index: number
  readonly text: string
  readonly redacted: boolean
}

/** One whole tool call; what came of it where the stream broke off. */
export interface ToolCallEvent {
  readonly type: 'tool_call'
  readonly messageId: string
  /** The id that the tool's result will name. Empty where the provider gave none. */
  readonly toolCallId: string
  /** Responses: the id of the output item. */
  readonly itemId: string | null
  readonly tool: string
  /** The arguments as text: JSON as the model wrote it, or plain text. */
  readonly input: string
  /** Of a hosted MCP call: its server's label. */
  readonly serverUrl: string | null
  /** True for a tool that the gateway injected and ran itself. */
  readonly injected: boolean
  readonly invocationError: string | null
  /** How long an injected call took, in ms. */
  readonly durationMs: number | null
  /** Responses item types, server tools: whatever else the provider says of it. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/**
 * Tokens of one upstream reply as known so far: a later event of the same `messageId`/`round` replaces
 * an earlier one. Input excludes cached tokens; the four figures are never negative.
 */
export interface UsageEvent {
  readonly type: 'usage'
  readonly messageId: string
  /** 0 for the first upstream call of the interception, 1 for the next, … */
  readonly round: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadInputTokens: number
  readonly cacheWriteInputTokens: number
  /** Further figures by contract name, such as `reasoning_output_tokens`, and `service_tier`. */
  readonly metadata: Readonly<Record<string, number | string>>
  /** True in the last usage event of its round. */
  readonly final: boolean
}

/** Why the model stopped, in the provider's own word. */
export interface FinishEvent {
  readonly type: 'finish'
  readonly choice: number
  readonly reason: string
}

/** An error that the upstream reported, or a fault of the connection to it. */
export interface ErrorEvent {
  readonly type: 'error'
  readonly errorType: ErrorType
  readonly message: string
}

/** The last event: how it ended. */
export interface EndEvent {
  readonly type: 'end'
  readonly outcome: Outcome
  readonly errorType: ErrorType | null
  readonly errorMessage: string | null
}

/** How an interception can end. */
export const outcomes = [
  'completed',
  'failed',
  'client_gone',
  'upstream_cut',
  'timed_out',
  'rejected',
  'aborted',
] as const

export type Outcome = (typeof outcomes)[number]

export type ErrorType =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'too_large'
  | 'rate_limited'
  | 'timeout'
  | 'overloaded'
  | 'server_error'
  | 'unreachable'
  | 'tool_limit'
  | 'unknown'

export type EventType = InterceptionEvent['type']
export type EventOf<T extends EventType> = Extract<InterceptionEvent, { type: T }>

/** Lets through the events of one type, or of several, typed. */
export function ofType<T extends EventType>(
  ...types: readonly T[]
): OperatorFunction<InterceptionEvent, EventOf<T>> {
  const [only] = types
  return types.length === 1
    ? filter((event: InterceptionEvent): event is EventOf<T> => event.type === only)
    : filter((event): event is EventOf<T> => types.includes(event.type as T))
}
