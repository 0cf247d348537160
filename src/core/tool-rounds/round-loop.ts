import type { Format } from '../format.ts'
import { JsonEdit } from '../json-edit.ts'
import type { InjectedTool } from '../mcp/toolbox.ts'
import type { RequestTrace } from '../tracing/request-trace.ts'
import type { ToolSpan } from '../tracing/tool-span.ts'
import type { Reply, Send, UpstreamRequest } from '../upstream.ts'
import type { AnsweredCall, InjectedCall, Merger, ToolDialect } from './dialect.ts'
import { freeChoice } from './free-choice.ts'
import { limitError, type ToolLimits } from './limits.ts'
import type { RoundsObserver } from './observer.ts'
import { plainReply } from './plain-reply.ts'
import { type CallTool, runCalls } from './run-calls.ts'

export interface RoundLoopOptions {
  readonly format: Format
  readonly dialect: ToolDialect
  /** With the tools in its body. */
  readonly request: UpstreamRequest & { readonly body: Buffer }
  /** One upstream call, with its time-out for headers. */
  readonly send: Send
  /** Those that were offered. */
  readonly tools: ReadonlyMap<string, InjectedTool>
  readonly callTool: CallTool
  readonly limits: ToolLimits
  readonly observer: RoundsObserver
  /** Keeps calls that the client does not see for its next request, by its own calls beside them. */
  readonly hide: (ownCalls: readonly string[], calls: readonly AnsweredCall[]) => void
  /** Aborts when the client has left: no tool is run for it. */
  readonly gone: AbortSignal
  /** @default nothing is traced */
  readonly trace?: RequestTrace | null
}

/** The upstream calls of one reply: after each, the tools that it calls are run and their results sent with the next. */
export class RoundLoop {
  readonly merger: Merger
  readonly observer: RoundsObserver
  readonly options: RoundLoopOptions
  readonly #limit = new AbortController()
  #body: Buffer
  #rounds = 0
  #calls = 0
  #timer: NodeJS.Timeout | undefined
  #broken = false
  #edited = false

  constructor(options: RoundLoopOptions) {
    this.options = options
    this.observer = options.observer
    this.merger = options.dialect.createMerger((tool) => options.tools.has(tool))
    this.#body = options.request.body
  }

  /** Aborts when the tools' time is over. */
  get limit(): AbortSignal {
    return this.#limit.signal
  }

  /** A round of tools and then another upstream call follow. */
  get goesOn(): boolean {
    return this.#mayRun && this.merger.ownCalls.length === 0
  }

  /** Tools of ours are to be run, but then the client has to run its own. */
  get isMixed(): boolean {
    return this.#mayRun && this.merger.ownCalls.length > 0
  }

  get #mayRun(): boolean {
    return this.merger.runnable && !this.#broken && !this.options.gone.aborted
  }

  /** True where the client was told of an error: that is the reply's end, whatever the round called before. */
  get isBroken(): boolean {
    return this.#broken
  }

  break(): void {
    this.#broken = true
  }

  /** True once the client's bytes are no longer the upstream's. */
  get isEdited(): boolean {
    return this.#edited || this.#rounds > 1
  }

  edit(): void {
    this.#edited = true
  }

  async send(signal: AbortSignal): Promise<Reply> {
    this.#rounds++
    const { request, send } = this.options
    return send({
      ...request,
      body: this.#body,
      signal: AbortSignal.any([request.signal, signal, this.limit]),
    })
  }

  /** Runs what the round called, and sends the results. Rejects with the limit that is passed. */
  async next(signal: AbortSignal): Promise<Reply> {
    const { limits, dialect } = this.options
    if (this.#rounds >= limits.maxRounds) {
      throw limitError(`the model went on calling them after ${limits.maxRounds} rounds`)
    }
    const answered = await this.run(signal)
    this.options.gone.throwIfAborted()
    const request = new JsonEdit(this.#body)
    dialect.followUp(request, this.merger.answer(), answered)
    for (const [name, value] of Object.entries(this.merger.carried ?? {})) {
      if ((request.value(name) ?? null) === null) request.set(name, value)
    }
    freeChoice(
      request,
      (tool) => this.options.tools.has(tool),
      () => dialect.ownTools(request),
    )
    this.#body = request.bytes()
    this.#hideAnchored(answered)
    this.observer.endRound()
    this.merger.nextRound()
    return plainReply(await this.send(signal))
  }

  /** Those without which an item that the client has can't be sent back. */
  #hideAnchored(answered: readonly AnsweredCall[]): void {
    const anchors = Map.groupBy(answered, (call) => this.merger.anchorOf?.(call))
    for (const [anchor, calls] of anchors) if (anchor) this.options.hide([anchor], calls)
  }

  /** Runs what the round called. */
  async run(signal: AbortSignal): Promise<AnsweredCall[]> {
    const { calls } = this.merger
    const { limits, callTool, request, gone } = this.options
    this.observer.flush()
    this.options.trace?.roundRead()
    this.#calls += calls.length
    if (this.#calls > limits.maxCalls) {
      throw limitError(`the model made more than ${limits.maxCalls} calls`)
    }
    this.#timer ??= setTimeout(
      () => this.#limit.abort(limitError(`they took more than ${limits.totalTimeout} ms in all`)),
      limits.totalTimeout,
    ).unref()
    return runCalls(calls, {
      callTool,
      limits,
      signal: AbortSignal.any([request.signal, signal, this.limit, gone]),
      spanOf: (call) => this.#spanOf(call),
      told: (call, outcome) => this.observer.called(call, outcome),
    })
  }

  #spanOf(call: InjectedCall): ToolSpan | null {
    const offered = this.options.tools.get(call.tool)
    return (offered && this.options.trace?.toolCall(call, offered)) ?? null
  }

  /** Runs ours beside the client's: what came of them is put into the request with which the client answers. */
  async runHidden(signal: AbortSignal): Promise<void> {
    const answered = await this.run(signal)
    this.options.hide(this.merger.ownCalls, answered)
    this.#hideAnchored(answered)
  }

  /** No more rounds come. */
  close(): void {
    clearTimeout(this.#timer)
  }
}
