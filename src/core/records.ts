import type { ErrorType, Outcome, ReasoningSource } from './events.ts'

/**
 * What can be kept: `type` → the members of its body. A plugin adds a type of its own by declaration
 * merging: `declare module 'sluice' { interface RecordTypes { slow_reply: { tookMs: number } } }`.
 * Bodies are plain JSON: times are RFC 3339 strings, unknown values null.
 */
export interface RecordTypes {
  interception_start: InterceptionStart
  interception_end: InterceptionEnd
  prompt_usage: PromptUsage
  token_usage: TokenUsage
  tool_usage: ToolUsage
  tool_result: ToolResultRecord
  model_thought: ModelThought
  answer: Answer
}

export type CredentialKind = 'centralized' | 'byok'
export type FormatName = 'anthropic_messages' | 'openai_chat' | 'openai_responses'
export type Purpose =
  | 'title'
  | 'compaction'
  | 'subagent'
  | 'probe'
  | 'warmup'
  | 'enforcement'
  | 'notification'
  | 'other'

/** Who asked what, of whom, with which program; written before anything is sent upstream. */
export interface InterceptionStart {
  readonly initiatorId: string
  readonly initiatorUsername: string
  readonly initiatorName: string | null
  readonly apiKeyId: string | null
  /** The provider's type: `anthropic`, `openai`. */
  readonly provider: string
  /** The provider's instance name, the first segment of its path. */
  readonly providerName: string
  readonly format: FormatName
  readonly model: string
  readonly client: string
  readonly clientSessionId: string | null
  readonly sessionId: string
  readonly threadRootId: string | null
  readonly threadParentId: string | null
  readonly correlatingToolCallId: string | null
  readonly agentId: string | null
  readonly parentAgentId: string | null
  readonly purpose: Purpose | null
  readonly retryOf: string | null
  readonly streaming: boolean
  readonly credentialKind: CredentialKind
  readonly credentialHint: string
  readonly annotations: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, unknown>>
  /** Names the process that owns this interception while it is open. */
  readonly processId: string
  readonly startedAt: string
}

/** How it ended: exactly one for every interception. Durations in ms, sizes in bytes. */
export interface InterceptionEnd {
  readonly outcome: Outcome
  readonly errorType: ErrorType | null
  readonly errorMessage: string | null
  readonly httpStatus: number | null
  readonly finishReason: string | null
  readonly durationMs: number
  readonly timeToFirstTokenMs: number | null
  readonly upstreamMs: number | null
  readonly requestBytes: number
  readonly responseBytes: number
  readonly observed: 'full' | 'partial'
  readonly drained: boolean
  readonly endedAt: string
  /** Written on behalf of a process that died: the owner's own end takes its place, whichever comes first. */
  readonly reaped?: true
}

export interface PromptUsage {
  readonly msgId: string
  readonly prompt: string
  readonly rawPrompt: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** One per upstream response, the provider's final figures; input excludes cached tokens. */
export interface TokenUsage {
  readonly msgId: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadInputTokens: number
  readonly cacheWriteInputTokens: number
  /** In billionths of a US dollar; null where it is unknown, or while the figures may change. */
  readonly costNanoUsd: number | null
  readonly priceSource: string | null
  readonly priceVersion: string | null
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface ToolUsage {
  readonly msgId: string
  readonly toolCallId: string
  readonly itemId: string | null
  readonly tool: string
  /** JSON text, or plain text where the arguments are no JSON. */
  readonly input: string
  readonly serverUrl: string | null
  readonly injected: boolean
  readonly invocationError: string | null
  readonly durationMs: number | null
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface ToolResultRecord {
  readonly toolCallId: string
  readonly isError: boolean
  readonly bytes: number
  readonly content: string | null
}

export interface ModelThought {
  readonly msgId: string
  readonly index: number
  readonly redacted: boolean
  readonly content: string
  readonly metadata: Readonly<{ source: ReasoningSource } & Record<string, unknown>>
}

/** What the model answered in words: one for each choice of each reply. Kept only if `answers()` is among the plugins. */
export interface Answer {
  readonly msgId: string
  readonly choice: number
  /** UTF-8 length of the whole text, of which `text` may be the beginning. */
  readonly bytes: number
  readonly text: string
}

export type RecordType = keyof RecordTypes

/** What an observer emits. */
export type RecordBody = {
  [T in RecordType]: { readonly type: T } & RecordTypes[T] & RecordOptions
}[RecordType]

export interface RecordOptions {
  /** Two bodies of one plugin with one key are the same record: the later one replaces the earlier. */
  readonly key?: string
  /** A figure that will be replaced: goes only to recorders that store (`Plugin.provisional`). */
  readonly provisional?: boolean
  /** Names of the members that the observer has cut to stay within a bound. */
  readonly truncated?: readonly string[]
}

/** What core adds to a body, so that no plugin can forget it. */
export interface RecordStamp {
  /** UUIDv7 form, derived from interception, plugin and key: written again it replaces the earlier one. */
  readonly id: string
  readonly interceptionId: string
  /** Order in which the interception's records were first seen, from 0. */
  readonly seq: number
  readonly createdAt: string
  /** True when it came after the end of its interception was recorded. */
  readonly late?: true
  /** Names of the members whose content was cut or dropped to stay within a bound. */
  readonly truncated?: readonly string[]
  /** What a store cut, by member: its whole size in UTF-8 bytes and the hash of its text. */
  readonly truncatedFrom?: Readonly<Record<string, { bytes: number; sha256: string }>>
}

export type InterceptionRecord = {
  [T in RecordType]: { readonly type: T } & RecordTypes[T] & RecordStamp
}[RecordType]

export type RecordOf<T extends RecordType> = Extract<InterceptionRecord, { type: T }>
