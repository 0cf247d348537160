import { bitOf, maskOf } from './event-mask.ts'
import type { EndEvent, ErrorType, EventType, InterceptionEvent, Outcome } from './events.ts'
import type { Pipeline } from './pipeline.ts'
import type { InterceptionEnd } from './records.ts'
import { timestamp } from './timestamp.ts'
import type { RequestTrace } from './tracing/request-trace.ts'

/** What is measured while an interception runs; times by `performance.now()`, sizes in bytes. */
export interface Facts {
  httpStatus: number | null
  requestBytes: number
  responseBytes: number
  /** Since when the client has waited for the gateway alone. */
  busySince: number
  sentUpstreamAt: number | null
  /** How long the reply's end was held back, in ms. */
  heldMs: number
  partial: boolean
  drained: boolean
}

export interface Cause {
  readonly errorType?: ErrorType
  readonly errorMessage?: string
}

/** What is settled: one interception. */
export interface Settled {
  /** Events that are owed when it ends early: open blocks, usage so far. */
  owed(): readonly InterceptionEvent[]
  /** Told of the events that have calls among them, those that are owed too, before the plugins are. */
  watchCalls(events: readonly InterceptionEvent[]): void
  /** Takes out of a message what must not be kept. */
  redact(message: string): string
}

/**
 * How one interception ends: exactly once, the first cause wins. Decide before aborting anything: our own abort
 * makes the upstream's body fail like a cut.
 */
export class Settlement {
  readonly facts: Facts
  /** Resolves when all records that are not late were handed to the recorders. */
  readonly ended: Promise<void>
  /** True once the provider has told any usage. */
  sawUsage = false
  readonly #pipeline: Pipeline
  readonly #subject: Settled
  readonly #trace: RequestTrace | null
  readonly #startedAt = performance.now()
  #outcome: Outcome | undefined
  #cause: Cause = {}
  #firstTokenAt: number | null = null
  #finishReason: string | null = null
  #reported: Cause = {}
  #finished = false
  #resolve: () => void = () => {}

  constructor(
    pipeline: Pipeline,
    subject: Settled,
    requestBytes: number,
    trace: RequestTrace | null = null,
  ) {
    this.#pipeline = pipeline
    this.#subject = subject
    this.#trace = trace
    this.facts = {
      httpStatus: null,
      requestBytes,
      responseBytes: 0,
      busySince: this.#startedAt,
      sentUpstreamAt: null,
      heldMs: 0,
      partial: false,
      drained: false,
    }
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get outcome(): Outcome | undefined {
    return this.#outcome
  }

  /** Passes events on to the plugins and keeps what the end record says of them. */
  observe(said: readonly InterceptionEvent[]): void {
    if (this.#finished) return
    const mask = maskOf(said)
    const events = mask & errorBit ? said.map((event) => this.#redacted(event)) : said
    if (mask & callBit) this.#subject.watchCalls(events)
    if (mask & noted) for (const event of events) this.#note(event)
    if (this.#trace && mask & this.#trace.mask) this.#trace.observe(events)
    this.#pipeline.emit(events, mask)
  }

  /** True where a plugin or the spans are to see events of the type. */
  looksAt(type: EventType): boolean {
    const bit = bitOf(type)
    return ((this.#trace?.mask ?? 0) & bit) !== 0 || this.#pipeline.looksAt(bit)
  }

  /** Notes that the model has begun to speak. */
  firstToken(): void {
    if (this.#firstTokenAt !== null) return
    this.#firstTokenAt = performance.now()
    this.#trace?.firstToken()
  }

  /** Fixes the outcome, unless one is fixed already; `end` may come later (while a drain runs). */
  decide(outcome: Outcome, cause: Cause = {}): void {
    if (this.#outcome) return
    this.#outcome = outcome
    this.#cause = cause
  }

  /** Fixes the outcome, unless one is fixed already, and ends the interception's events. */
  settle(outcome: Outcome, cause: Cause = {}): void {
    this.decide(outcome, cause)
    if (this.#finished) return
    this.observe(this.#subject.owed())
    this.#finished = true
    const end = this.#end()
    this.#trace?.settled(end)
    void this.#pipeline.end(this.#endEvent(end), end).then(this.#resolve)
  }

  #note(event: InterceptionEvent): void {
    if (event.type === 'finish') this.#finishReason ??= event.reason
    else if (event.type === 'usage') this.sawUsage = true
    else if (event.type === 'error') {
      this.#reported = { errorType: event.errorType, errorMessage: event.message }
    }
  }

  #redacted(event: InterceptionEvent): InterceptionEvent {
    return event.type === 'error'
      ? Object.freeze({ ...event, message: this.#subject.redact(event.message) })
      : event
  }

  #endEvent({ outcome, errorType, errorMessage }: InterceptionEnd): EndEvent {
    return { type: 'end', outcome, errorType, errorMessage }
  }

  #end(): InterceptionEnd {
    const { facts } = this
    const now = performance.now()
    const outcome = this.#outcome ?? 'aborted'
    const { errorType, errorMessage } =
      outcome === 'completed' ? {} : { ...this.#reported, ...this.#cause }
    const upstreamMs = facts.sentUpstreamAt === null ? null : now - facts.sentUpstreamAt
    return {
      outcome,
      errorType: errorType ?? null,
      errorMessage: errorMessage === undefined ? null : this.#subject.redact(errorMessage),
      httpStatus: facts.httpStatus,
      finishReason: this.#finishReason,
      durationMs: Math.round(now - this.#startedAt),
      timeToFirstTokenMs:
        this.#firstTokenAt === null ? null : Math.round(this.#firstTokenAt - this.#startedAt),
      upstreamMs: upstreamMs === null ? null : Math.round(upstreamMs),
      requestBytes: facts.requestBytes,
      responseBytes: facts.responseBytes,
      observed: facts.partial ? 'partial' : 'full',
      drained: facts.drained,
      endedAt: timestamp(),
    }
  }
}

const errorBit = bitOf('error')
const callBit = bitOf('tool_call')
/** What the end record says something of. */
const noted = errorBit | bitOf('finish') | bitOf('usage')
