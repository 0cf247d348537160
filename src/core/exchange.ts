import { readAnnotations } from './annotations.ts'
import { asksUsage, withUsageAsked } from './chat-usage.ts'
import type { ClientIdentity } from './client.ts'
import type { ClientConnection } from './client-connection.ts'
import { type Credential, resolveCredential } from './credentials.ts'
import { messageOf, SluiceError } from './errors.ts'
import type { InterceptionEvent } from './events.ts'
import type { RequestSummary } from './format.ts'
import { FrameFeed } from './frame-feed.ts'
import { upstreamHeaders } from './headers.ts'
import { interceptionId } from './ids.ts'
import type { InterceptOptions } from './intercept.ts'
import { interceptionOf } from './interception.ts'
import type { Lease } from './mcp/pool.ts'
import type { Serving } from './open-requests.ts'
import { outcomeOf } from './outcome-of.ts'
import { replyWithError } from './own-reply.ts'
import { Pipeline } from './pipeline.ts'
import { upstreamUrl } from './provider.ts'
import type { InterceptionStart } from './records.ts'
import { Relay } from './relay.ts'
import type { RequestBody } from './request-body.ts'
import { retryKey, type Try } from './retries.ts'
import type { Runtime } from './runtime.ts'
import { withoutSecrets } from './secrets.ts'
import { type Settled, Settlement } from './settlement.ts'
import { purposeOf, startRecord } from './start-record.ts'
import { tellOverhead } from './tell-overhead.ts'
import type { MergedReply } from './tool-rounds/tool-rounds.ts'
import type { RequestAttributes } from './tracing/request-attributes.ts'
import type { RequestTrace } from './tracing/request-trace.ts'
import type { UpstreamRequest } from './upstream.ts'
import { UpstreamCall } from './upstream-call.ts'

export interface RequestFacts {
  readonly summary: RequestSummary
  readonly identity: ClientIdentity
  readonly body: RequestBody
  /** See `Facts`. */
  readonly busySince: number
  /** Null where nothing is traced. */
  readonly trace: RequestTrace | null
  /** What its spans are to say of the body. */
  readonly traced: RequestAttributes | undefined
}

/** One interception: its start is recorded, its request sent, its reply relayed, its end settled. */
export class Exchange implements Serving, Settled {
  place = 0
  readonly #options: InterceptOptions
  readonly #client: ClientConnection
  readonly #runtime: Runtime
  readonly #id: string = interceptionId()
  readonly #frames: FrameFeed
  readonly #credential: Credential | SluiceError
  readonly #askedUsage: boolean
  readonly #start: InterceptionStart
  readonly #settlement: Settlement
  #relay: Relay | undefined
  readonly #call: UpstreamCall

  constructor(
    options: InterceptOptions,
    facts: RequestFacts,
    client: ClientConnection,
    runtime: Runtime,
  ) {
    this.#options = options
    this.#client = client
    this.#runtime = runtime
    this.#frames = new FrameFeed((error) => this.#frameFailed(error))
    const { summary, identity, body, busySince, trace } = facts
    const { provider, format, initiator } = options
    this.#askedUsage = asksUsage({ provider, format: format.name, ...summary })
    this.#credential = this.#resolveCredential(body)
    const startedAt = new Date()
    const key = retryKey(initiator.id, identity.clientSessionId, body.bytes)
    const retried = runtime.retries.find(key)
    this.#start = this.#startRecord(facts, startedAt, retried)
    const { frames$ } = this.#frames
    const seen = interceptionOf(this.#id, initiator, this.#start, startedAt, frames$)
    trace?.created(this.#id, this.#start, {
      request: facts.traced,
      fault: this.#credential instanceof SluiceError ? this.#credential.message : null,
    })
    const pipeline = new Pipeline(seen, this.#start, runtime.pipeline(), trace)
    trace?.process()
    this.#settlement = new Settlement(pipeline, this, body.bytes.length, trace)
    this.#settlement.facts.busySince = busySince
    const attempt = runtime.retries.remember(key, {
      id: this.#id,
      rootId: this.#start.threadRootId,
      parentId: this.#start.threadParentId,
    })
    void this.#settlement.ended.then(() => this.#account(attempt))
    this.#call = new UpstreamCall({
      options,
      start: this.#start,
      client,
      runtime,
      settlement: this.#settlement,
      frames: this.#frames,
      trace,
    })
    const purpose = purposeOf(identity, summary)
    const prompted = retried === null && (purpose === null || purpose === 'subagent')
    this.#settlement.observe([
      Object.freeze({
        type: 'request',
        model: summary.model,
        prompt: prompted ? summary.prompt : null,
        toolResults: summary.toolResults,
      }),
    ])
  }

  /** Sends the request and begins to relay its reply; `finished` resolves when the reply has ended. */
  async start(
    body: RequestBody,
    tools: Promise<Lease> | null,
  ): Promise<{ finished: Promise<void> }> {
    this.#runtime.open.add(this)
    this.#client.whenGone(() => this.#clientGone())
    const relay = await this.#send(body, tools)
    const finished = (relay?.run() ?? this.#settlement.ended).then(() => {
      // A shutdown closes the recorders as soon as nothing is open: the end of one that it cut is recorded by then.
      void this.#settlement.ended.then(() => this.#runtime.open.delete(this))
      tellOverhead(this.#runtime.diagnostics, this.#options.provider, this.#settlement.facts)
    })
    return { finished }
  }

  /** Null where no reply of the upstream's is relayed: the client got an error of ours, or has left. */
  async #send(body: RequestBody, tools: Promise<Lease> | null): Promise<Relay | null> {
    try {
      if (this.#credential instanceof SluiceError) throw this.#credential
      await this.#requireRecording()
      if (this.#client.gone) this.#clientGone()
      if (this.#settlement.outcome) return null
      const request = this.#upstreamRequest(body, this.#credential)
      this.#settlement.facts.sentUpstreamAt = performance.now()
      const merged = await this.#call.start(request, tools)
      this.#settlement.facts.httpStatus = merged.reply.status
      this.#relay = this.#begin(merged)
      return this.#relay
    } catch (error) {
      this.#failed(error)
      return null
    }
  }

  async #requireRecording(): Promise<void> {
    const { gate, settings } = this.#runtime
    if (!settings.requireRecording) return
    if (!gate.isOpen && (await gate.committed(1000))) return
    throw new SluiceError('requests are refused while they cannot be recorded: try again soon', {
      code: 'ERR_NOT_RECORDING',
      status: 503,
      retryAfter: 5,
    })
  }

  #upstreamRequest({ bytes }: RequestBody, { headers }: Credential): UpstreamRequest {
    const { ctx, provider, path, search } = this.#options
    return {
      method: ctx.req.method ?? 'POST',
      url: upstreamUrl(provider, path, search),
      headers,
      body: this.#askedUsage ? withUsageAsked(bytes) : bytes,
      signal: this.#client.signal,
    }
  }

  #begin(merged: MergedReply): Relay {
    try {
      const relay = this.#createRelay(merged)
      relay.begin()
      return relay
    } catch (cause) {
      merged.reply.body.destroy()
      throw new SluiceError(`the upstream's reply can't be passed on: ${messageOf(cause)}`, {
        code: 'ERR_UPSTREAM_REPLY',
        status: 502,
        cause,
      })
    }
  }

  #createRelay(merged: MergedReply): Relay {
    const { ctx, provider } = this.#options
    const { settings, gate, drains, state } = this.#runtime
    const { reply } = merged
    const { reader, round, edited } = this.#call.createReader(merged, {
      askedUsage: this.#askedUsage,
      terminal: () => this.#relay?.terminalRead(),
    })
    return new Relay({
      id: this.#id,
      request: ctx.req,
      response: ctx.res,
      reply,
      reader,
      generating: () => round.generating,
      settlement: this.#settlement,
      gate,
      drains: (provider.disconnect ?? settings.disconnect) === 'drain' ? drains : null,
      upstreamIdleTimeout: settings.upstreamIdleTimeout,
      clientIdleTimeout: settings.clientIdleTimeout,
      edited,
      headers: [...this.#ownHeaders(), ...(state.draining ? ['connection', 'close'] : [])],
    })
  }

  #ownHeaders(): readonly string[] {
    return ['x-sluice-interception-id', this.#id]
  }

  owed(): readonly InterceptionEvent[] {
    return this.#relay?.owed() ?? this.#call.owed()
  }

  /** Also of calls that are told only at the end: Chat's. */
  watchCalls(events: readonly InterceptionEvent[]): void {
    this.#runtime.lineage.rememberCalls(this.#id, this.#start, events)
  }

  redact(message: string): string {
    return this.#withoutSecrets(message)
  }

  #withoutSecrets(text: string): string {
    const { ctx, provider, search } = this.#options
    return withoutSecrets(text, { headers: ctx.req.rawHeaders, search, provider })
  }

  #frameFailed(error: unknown): void {
    const { diagnostics } = this.#runtime
    diagnostics.count('plugin_errors', { plugin: 'frames$' })
    diagnostics.log('error', `a subscriber of frames$ failed: ${messageOf(error)}`)
  }

  #clientGone(): void {
    this.#call.clientGone()
    if (this.#relay) return this.#relay.clientGone()
    this.#settlement.settle('client_gone')
    this.#client.abort(new Error('the client went away'))
  }

  /** Shutdown: ended with what was seen until now. */
  abort(): void {
    this.#settlement.settle('aborted', { errorMessage: 'the gateway was shut down' })
    if (this.#relay) return this.#relay.cut()
    this.#client.abort(new Error('the gateway was shut down'))
  }

  /** No reply to relay: the reason becomes the outcome and an error in the route's own shape. */
  #failed(error: unknown): void {
    const { ctx, format } = this.#options
    const known = error instanceof SluiceError ? error : null
    const { outcome, errorType } = outcomeOf(known)
    // A reply of ours is on its way only now; the outcome may be fixed already (client gone, shutdown).
    const status = this.#settlement.outcome === 'aborted' ? 503 : (known?.status ?? 502)
    const message = known?.message ?? 'the gateway failed to serve this request: see its log'
    if (!known && !this.#settlement.outcome) {
      this.#runtime.diagnostics.log(
        'error',
        `an interception failed: ${this.#withoutSecrets(messageOf(error))}`,
        {
          interception_id: this.#id,
          ...(error instanceof Error && { stack: this.#withoutSecrets(error.stack ?? '') }),
        },
      )
    }
    if (!this.#client.gone) this.#settlement.facts.httpStatus = status
    this.#settlement.settle(outcome, { errorType, errorMessage: messageOf(error) })
    if (this.#client.gone) return
    const retryAfter = known?.retryAfter
    replyWithError(ctx.res, format, {
      status,
      message,
      errorType,
      retryAfter,
      headers: this.#ownHeaders(),
    })
  }

  #account(attempt: Try): void {
    const { outcome, sawUsage, facts } = this.#settlement
    const { diagnostics } = this.#runtime
    const provider = this.#options.provider.name
    attempt.failed = outcome === 'failed' || outcome === 'upstream_cut' || outcome === 'timed_out'
    if (facts.partial) diagnostics.count('observed_partial', { provider })
    if (outcome === 'completed' && !sawUsage) diagnostics.count('usage_missing', { provider })
    this.#frames.end()
  }

  #startRecord(
    { summary, identity }: RequestFacts,
    startedAt: Date,
    retried: Try | null,
  ): InterceptionStart {
    const { ctx, provider, format, initiator } = this.#options
    const { lineage, settings } = this.#runtime
    const credential = this.#credential
    return startRecord({
      id: this.#id,
      startedAt,
      initiator,
      provider,
      format,
      client: identity,
      summary,
      parent: lineage.parentOf(initiator.id, summary.correlatingToolCallId, identity),
      retried,
      credential:
        credential instanceof SluiceError ? { kind: 'centralized', hint: '' } : credential,
      annotations: settings.annotations ? readAnnotations(ctx.req.rawHeaders) : {},
    })
  }

  #resolveCredential({ decoded }: RequestBody): Credential | SluiceError {
    const { ctx, provider } = this.#options
    const headers = upstreamHeaders(ctx.req.rawHeaders, { intercepted: true, decoded })
    try {
      return resolveCredential(provider, headers, { allowByok: this.#runtime.settings.allowByok })
    } catch (error) {
      if (error instanceof SluiceError) return error
      throw error
    }
  }
}
