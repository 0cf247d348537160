import type {
  ErrorType,
  InterceptionEvent,
  ReasoningSource,
  ToolCallEvent,
  UsageEvent,
} from '../events.ts'
import type { ReplyOrigin } from '../format.ts'
import type { JsonObject } from '../json.ts'
import type { ReplyError } from './reply-error.ts'
import { type UsageTable, UsageTally } from './usage.ts'

/** What a format knows of a call. */
export type ToolCall = Pick<ToolCallEvent, 'toolCallId' | 'tool' | 'input'> &
  Partial<Pick<ToolCallEvent, 'itemId' | 'serverUrl' | 'invocationError' | 'metadata'>>

/** Collects what one reply says as events, numbered and frozen, until they are taken. */
export class ReplyEvents {
  messageId = ''
  readonly origin: ReplyOrigin = { model: '', fingerprint: '' }
  generating = false
  failure: { readonly errorType: ErrorType; readonly errorMessage: string } | undefined
  readonly #round: number
  readonly #streaming: boolean
  readonly #tally: UsageTally
  #events: InterceptionEvent[] = []
  #reasonings = 0

  constructor({ round, streaming }: { round: number; streaming: boolean }, table: UsageTable) {
    this.#round = round
    this.#streaming = streaming
    this.#tally = new UsageTally(table)
  }

  text(text: unknown, choice = 0): void {
    if (typeof text !== 'string' || text === '') return
    this.generating = true
    this.#add({ type: 'text', messageId: this.messageId, choice, text })
  }

  reasoning(source: ReasoningSource, text: string, redacted = false): void {
    if (text === '' && !redacted) return
    this.generating = true
    this.#add({
      type: 'reasoning',
      messageId: this.messageId,
      source,
      index: this.#reasonings++,
      text,
      redacted,
    })
  }

  toolCall({
    toolCallId,
    tool,
    input,
    itemId = null,
    serverUrl = null,
    invocationError = null,
    metadata = nothing,
  }: ToolCall): void {
    this.generating = true
    this.#add({
      type: 'tool_call',
      messageId: this.messageId,
      toolCallId,
      itemId,
      tool,
      input,
      serverUrl,
      injected: false,
      invocationError,
      durationMs: null,
      metadata: Object.freeze(metadata),
    })
  }

  /** Notes figures of a usage object; the first of a stream are told at once, lest a crash lose them. */
  usage(usage: JsonObject): void {
    const first = !this.#tally.seen
    this.#tally.add(usage)
    if (first && this.#tally.seen && this.#streaming) this.#events.push(this.#usageEvent(false))
  }

  model(name: unknown): void {
    if (typeof name === 'string') this.origin.model ||= name
  }

  serviceTier(tier: unknown): void {
    if (typeof tier === 'string') this.#tally.serviceTier = tier
  }

  finish(reason: unknown, choice = 0): void {
    if (typeof reason === 'string') this.#add({ type: 'finish', choice, reason })
  }

  /** The first error counts: what follows is its echo. */
  error({ errorType, message }: ReplyError): void {
    if (this.failure) return
    this.failure = { errorType, errorMessage: message }
    this.#add({ type: 'error', errorType, message })
  }

  /** The last usage event, if the provider named any figure: never an estimate. */
  finalUsage(): void {
    if (this.#tally.seen) this.#events.push(this.#usageEvent(true))
  }

  /** How many wait to be taken. */
  get count(): number {
    return this.#events.length
  }

  get endsWithText(): boolean {
    return this.#events.at(-1)?.type === 'text'
  }

  take(): readonly InterceptionEvent[] {
    if (this.#events.length === 0) return none
    const events = this.#events
    this.#events = []
    return events
  }

  #usageEvent(final: boolean): UsageEvent {
    return this.#tally.event(this.messageId, this.#round, final)
  }

  #add(event: InterceptionEvent): void {
    this.#events.push(Object.freeze(event))
  }
}

const none: readonly InterceptionEvent[] = Object.freeze([])
const nothing = Object.freeze({})
