import type { ErrorType, InterceptionEvent, ToolCallEvent } from '../events.ts'
import type { Format, ReplyOrigin, Round, Verdict } from '../format.ts'
import type { InjectedTool } from '../mcp/toolbox.ts'
import type { Frame } from '../sse.ts'
import type { RequestTrace } from '../tracing/request-trace.ts'
import type { InjectedCall } from './dialect.ts'
import type { CallOutcome } from './run-calls.ts'

export interface ObserverOptions {
  readonly format: Format
  /** Those that were offered. */
  readonly tools: ReadonlyMap<string, InjectedTool>
  readonly emit: (events: readonly InterceptionEvent[]) => void
  /** Hears of each frame of each round. */
  readonly frame: (frame: Frame) => void
  /** Is told which round is read. */
  readonly trace?: RequestTrace | null
}

/**
 * Reads what all rounds of a reply say. To the relay it is the merged reply's one `Round`: whatever frame that hands
 * in, the answer is the events of the upstream's frames since. Calls of our tools are told when they have been run.
 */
export class RoundsObserver implements Round {
  readonly #options: ObserverOptions
  #round: Round | undefined
  #count = 0
  #pending: Frame[] = []
  #held: ToolCallEvent[] = []
  /** Of calls that are not told yet; several may have one id, or none. */
  readonly #outcomes = new Map<string, CallOutcome[]>()
  #failure: { errorType: ErrorType; errorMessage: string } | undefined
  #generated = false
  #finished = false
  /** The round's last events were given, and the next one has not begun. */
  #between = false

  constructor(options: ObserverOptions) {
    this.#options = options
  }

  get messageId(): string {
    return this.#round?.messageId ?? ''
  }

  /** Each frame is looked at. */
  get toldText(): boolean {
    return false
  }

  get origin(): ReplyOrigin {
    return this.#round?.origin ?? { model: '', fingerprint: '' }
  }

  get generating(): boolean {
    return this.#generated || (this.#round?.generating ?? false)
  }

  begin(reply: { readonly streaming: boolean; readonly status: number }): void {
    this.#generated = this.generating
    this.#between = false
    this.#round = this.#options.format.createRound({ round: this.#count++, ...reply })
    this.#options.trace?.reading(this.#round)
  }

  /** Keeps a frame until the next `read`: the client's bytes go first. */
  note(frame: Frame): void {
    this.#pending.push(frame)
  }

  read(): readonly InterceptionEvent[] {
    const frames = this.#pending
    this.#pending = []
    const events: InterceptionEvent[] = []
    for (const frame of frames) {
      this.#options.frame(frame)
      events.push(...this.#told(this.#round?.read(frame) ?? []))
    }
    return events
  }

  /** Tells what was not told yet: while tools run nobody else asks for it. */
  flush(): void {
    const events = this.read()
    if (events.length > 0) this.#options.emit(events)
  }

  /** A round ended to which another follows: why the model stopped is no news then. */
  endRound(): void {
    const events = [...this.read(), ...this.#lastWords()]
    this.#between = true
    this.#options.emit(events.filter(({ type }) => type !== 'finish'))
  }

  /** A call has been run. */
  called({ id, tool }: InjectedCall, outcome: CallOutcome): void {
    const at = this.#held.findIndex((held) => held.toolCallId === id && held.tool === tool)
    const [held] = at < 0 ? [] : this.#held.splice(at, 1)
    if (held) this.#options.emit([this.#enriched(held, outcome)])
    else this.#outcomes.set(keyOf(id, tool), [...this.#run(id, tool), outcome])
  }

  /** The reply ends with an error of ours. */
  fail(errorType: ErrorType, errorMessage: string): void {
    this.#failure ??= { errorType, errorMessage }
    const error = Object.freeze({ type: 'error' as const, errorType, message: errorMessage })
    this.#options.emit([...this.read(), error])
  }

  /** What is owed at the end; only the first call gives any. */
  finish(): readonly InterceptionEvent[] {
    if (this.#finished) return []
    this.#finished = true
    const events = [...this.read(), ...this.#lastWords()]
    const notRun = { durationMs: null, invocationError: 'not run: the reply ended before' }
    const held = this.#held.map((call) => this.#enriched(call, notRun))
    this.#held = []
    return [...events, ...held]
  }

  verdict(): Verdict {
    if (this.#failure) return { outcome: 'failed', ...this.#failure }
    return this.#round?.verdict() ?? { outcome: 'upstream_cut' }
  }

  /** A round would tell its calls twice. */
  #lastWords(): readonly InterceptionEvent[] {
    return this.#between ? [] : this.#told(this.#round?.finish() ?? [])
  }

  #told(events: readonly InterceptionEvent[]): readonly InterceptionEvent[] {
    return events.flatMap((event) => {
      if (event.type !== 'tool_call' || !this.#isOurs(event)) return [event]
      const outcome = this.#run(event.toolCallId, event.tool).shift()
      if (outcome) return [this.#enriched(event, outcome)]
      this.#held.push(event)
      return []
    })
  }

  /** What a provider runs by itself may have the name of a tool of ours, and has a type; others are in namespaces. */
  #isOurs({ tool, metadata }: ToolCallEvent): boolean {
    const { type, namespace } = metadata
    return this.#options.tools.has(tool) && type === undefined && namespace === undefined
  }

  #run(id: string, tool: string): CallOutcome[] {
    return this.#outcomes.get(keyOf(id, tool)) ?? []
  }

  #enriched(
    call: ToolCallEvent,
    outcome: { durationMs: number | null; invocationError: string | null },
  ): ToolCallEvent {
    const tool = this.#options.tools.get(call.tool)
    return Object.freeze({
      ...call,
      tool: tool?.name ?? call.tool,
      serverUrl: tool?.serverUrl ?? null,
      injected: true,
      ...outcome,
    })
  }
}

function keyOf(id: string, tool: string): string {
  return JSON.stringify([id, tool])
}
