import type { ClientConnection } from './client-connection.ts'
import { type CreatedReader, createReader } from './create-reader.ts'
import type { InterceptionEvent } from './events.ts'
import type { FrameFeed } from './frame-feed.ts'
import type { InterceptOptions } from './intercept.ts'
import type { Lease } from './mcp/pool.ts'
import { withHeadersTimeout } from './passthrough.ts'
import type { InterceptionStart } from './records.ts'
import type { Runtime } from './runtime.ts'
import type { Settlement } from './settlement.ts'
import { openToolRounds } from './tool-rounds/open-tool-rounds.ts'
import type { MergedReply, ReaderHooks, ToolRounds } from './tool-rounds/tool-rounds.ts'
import type { RequestTrace } from './tracing/request-trace.ts'
import type { Send, UpstreamRequest } from './upstream.ts'

export interface UpstreamCallOptions {
  readonly options: Pick<InterceptOptions, 'format' | 'initiator'>
  readonly start: InterceptionStart
  readonly client: ClientConnection
  readonly runtime: Runtime
  readonly settlement: Settlement
  readonly frames: FrameFeed
  readonly trace: RequestTrace | null
}

/** What goes upstream for one interception: one call, or with tools of ours as many as they take. */
export class UpstreamCall {
  readonly #options: UpstreamCallOptions
  #rounds: ToolRounds | undefined

  constructor(options: UpstreamCallOptions) {
    this.#options = options
  }

  /** Resolves with the reply's head. `lease`: the initiator's tools; null where there are none. */
  async start(request: UpstreamRequest, lease: Promise<Lease> | null): Promise<MergedReply> {
    const { options, start, runtime, settlement, frames, trace } = this.#options
    const send: Send = (sent) => this.#send(sent)
    if (!lease) return { reply: await send(request), reader: null }
    const rounds = await openToolRounds({
      runtime,
      ...options,
      purpose: start.purpose,
      request,
      lease,
      send,
      emit: (events) => settlement.observe(events),
      frame: (frame) => frames.tell(frame),
      trace,
    })
    if (!rounds) return { reply: await send(request), reader: null }
    this.#rounds = rounds
    return rounds.start()
  }

  /** What runs tools reads the replies itself; of the merged one only the end is looked for. */
  createReader(
    { reply, reader }: MergedReply,
    { askedUsage, terminal }: ReaderHooks,
  ): Pick<CreatedReader, 'reader' | 'edited'> & {
    readonly round: { readonly generating: boolean }
  } {
    const { options, start, settlement, frames, trace } = this.#options
    if (reader && this.#rounds)
      return { reader: reader({ askedUsage, terminal }), round: this.#rounds, edited: false }
    const created = createReader(reply, {
      format: options.format,
      roundNumber: 0,
      wantsStream: start.streaming,
      askedUsage,
      emit: (events) => settlement.observe(events),
      terminal,
      frame: (frame) => frames.tell(frame),
      skim: () => !frames.isHeard && !settlement.looksAt('text'),
    })
    trace?.reading(created.round)
    return created
  }

  /** Events that are owed when it ends early. */
  owed(): readonly InterceptionEvent[] {
    return this.#rounds?.finish() ?? []
  }

  /** What runs of tools is cancelled. */
  clientGone(): void {
    this.#rounds?.clientGone()
  }

  #send(request: UpstreamRequest): ReturnType<Send> {
    const { client, runtime, trace } = this.#options
    return withHeadersTimeout(client, runtime, () =>
      trace ? trace.send(request, runtime.send) : runtime.send(request),
    )
  }
}
