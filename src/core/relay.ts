import type { IncomingMessage, ServerResponse } from 'node:http'
import { cutReply } from './cut-reply.ts'
import type { Drains } from './drains.ts'
import type { InterceptionEvent } from './events.ts'
import type { Gate } from './gate.ts'
import { filterHeaders, headerValue, replyHeaders } from './headers.ts'
import { flushHead, writeReplyHead } from './reply-head.ts'
import type { ReplyReader } from './reply-reader.ts'
import type { Settlement } from './settlement.ts'
import type { Reply } from './upstream.ts'

export interface RelayOptions {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly reply: Reply
  readonly reader: ReplyReader
  /** True once the model has begun to speak. */
  readonly generating: () => boolean
  readonly settlement: Settlement
  readonly gate: Gate
  /** Null: the upstream is dropped as soon as the client leaves. */
  readonly drains: Drains | null
  /** Between two reads of the upstream, in ms; stands still while we hold the upstream back. */
  readonly upstreamIdleTimeout: number
  /** For a client that takes nothing, in ms. */
  readonly clientIdleTimeout: number
  /** A reply with another length or other bytes than the upstream's. */
  readonly edited: boolean
  readonly headers: readonly string[]
}

/** How long the upstream may take to end the body after the frame that ends the reply. */
const lingerMs = 5000

/**
 * Passes one reply on as it comes, at the client's pace; a copy goes to the reader. The reply's end (its terminal
 * frame, the last bytes of a known length, the end of the body) waits at the gate until its records are kept.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #length: number | undefined
  #received = 0
  #pending: Buffer[] = []
  #scheduled = false
  #held: Uint8Array | null = null
  /** flowing: read and passed on; gated: the end waits; passing: after the terminal frame; over: done. */
  #state: 'flowing' | 'gated' | 'passing' | 'over' = 'flowing'
  #upstream: 'open' | 'ended' | 'broken' = 'open'
  #discarding = false
  #idle: NodeJS.Timeout | undefined
  #stalled: NodeJS.Timeout | undefined
  #linger: NodeJS.Timeout | undefined
  #done: () => void = () => {}

  constructor(options: RelayOptions) {
    this.#options = options
    const length = headerValue(options.reply.headers, 'content-length')
    const chunked = headerValue(options.reply.headers, 'transfer-encoding') !== undefined
    this.#length = length === undefined || chunked ? undefined : Number(length)
  }

  /** Resolves when the reply has ended, one way or another. Call it once, after `begin`. */
  run(): Promise<void> {
    const { response, reply } = this.#options
    return new Promise((resolve) => {
      this.#done = resolve
      reply.body.on('data', (chunk: Buffer) => this.#receive(chunk))
      reply.body.on('end', () => this.#endOfBody())
      reply.body.on('error', (error: Error) => this.#broken(error))
      response.on('drain', () => this.#resume())
      response.on('error', () => {})
      if (response.closed || response.destroyed) this.clientGone()
    })
  }

  /** What is still owed of events when the reply ends or breaks off. */
  owed(): readonly InterceptionEvent[] {
    return this.#options.reader.finish()
  }

  /** The client's connection has closed. */
  clientGone(): void {
    if (this.#state === 'over') return
    const { settlement, drains, reply } = this.#options
    const left = settlement.outcome === undefined
    if (left) settlement.decide('client_gone')
    const drain = left && this.#upstream === 'open' && drains?.start(() => this.#abandon())
    if (!drain) return this.#abandon()
    this.#discarding = true
    this.#drain = drain
    clearTimeout(this.#stalled)
    this.#stalled = undefined
    reply.body.resume()
    this.#watchUpstream()
  }

  #drain: { count(bytes: number): boolean; stop(): void } | undefined

  /** The reader has given the events of the frame that ends the reply. */
  terminalRead(): void {
    this.#settleByVerdict()
  }

  /** Cuts the reply off on our side: shutdown. The outcome is settled by the caller. */
  cut(): void {
    if (this.#state !== 'over') this.#cutClient()
  }

  /** Writes the head. Throws where Node won't send it. */
  begin(): void {
    const { response, reply, edited, headers } = this.#options
    const theirs = replyHeaders(reply.headers)
    const own = edited ? filterHeaders(theirs, (name) => name !== 'content-length') : theirs
    own.push(...headers)
    writeReplyHead(response, reply, own)
    setImmediate(Relay.#begun, this)
  }

  /** Once this turn's body bytes are in: head and body then go out in one write, and short replies need no clock. */
  static #begun(relay: Relay): void {
    if (relay.#state !== 'flowing') return
    flushHead(relay.#options.response)
    relay.#watchUpstream()
  }

  #receive(chunk: Buffer): void {
    this.#pending.push(chunk)
    this.#idle?.refresh()
    if (this.#scheduled) return
    // All chunks of one socket read come in one turn: they are framed and written as one.
    this.#scheduled = true
    process.nextTick(Relay.#turn, this)
  }

  static #turn(relay: Relay): void {
    relay.#scheduled = false
    relay.#flush()
  }

  #flush(): void {
    if (this.#pending.length === 0 || this.#state === 'gated' || this.#state === 'over') return
    const chunk =
      this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending)
    this.#pending = []
    this.#received += chunk.length
    if (this.#drain && !this.#drain.count(chunk.length)) return this.#abandon()
    this.#options.settlement.facts.responseBytes = this.#received
    if (this.#state === 'passing') return this.#write(chunk)
    const { reader } = this.#options
    const { pass, held } = reader.push(chunk)
    const whole = this.#length !== undefined && this.#received >= this.#length
    if (pass && whole) this.#held = held ? Buffer.concat([pass, held]) : pass
    else {
      if (pass) this.#write(pass)
      this.#held = held
    }
    this.#observe()
    if (held) this.#terminal()
  }

  #observe(): void {
    const { reader, settlement, generating } = this.#options
    reader.observe()
    if (generating()) settlement.firstToken()
  }

  /** The terminal frame was read: the outcome is settled, whatever comes behind it. */
  #terminal(): void {
    this.#settleByVerdict()
    void this.#passGate()
  }

  #settleByVerdict(): void {
    const { reader, settlement, generating } = this.#options
    // The first token may be in the very read that ends the reply.
    if (generating()) settlement.firstToken()
    settlement.facts.partial = reader.partial
    settlement.facts.drained = this.#discarding && (reader.ended || this.#upstream === 'ended')
    const { outcome, ...cause } = reader.verdict()
    // Where something passed unread its clean end is all that is known.
    const unknown = outcome === 'upstream_cut' && reader.partial
    settlement.settle(unknown ? 'completed' : outcome, cause)
  }

  async #passGate(): Promise<void> {
    const { id, settlement, gate, reply } = this.#options
    const since = performance.now()
    this.#state = 'gated'
    this.#watchUpstream()
    if (this.#upstream === 'open') reply.body.pause()
    await settlement.ended
    if (!this.#discarding && !gate.isClear) {
      flushHead(this.#options.response)
      await gate.pass(id)
    }
    settlement.facts.heldMs = performance.now() - since
    if (this.#over()) return
    const held = this.#held
    this.#held = null
    this.#state = 'passing'
    if (this.#upstream === 'ended' && this.#pending.length === 0) return this.#endClient(held)
    if (held) this.#write(held)
    this.#flush()
    if (this.#upstream === 'ended') this.#endClient()
    else if (this.#upstream === 'broken') this.#cutClient()
    else {
      this.#linger = setTimeout(() => this.#lingered(), lingerMs)
      reply.body.resume()
    }
  }

  #over(): boolean {
    return this.#state === 'over'
  }

  #endOfBody(): void {
    this.#flush()
    this.#upstream = 'ended'
    if (this.#state === 'passing') this.#endClient()
    else if (this.#state === 'flowing') void this.#endFlowing()
  }

  /** A clean end of the body without a terminal frame before it: judged by what was read. */
  async #endFlowing(): Promise<void> {
    this.#state = 'gated'
    this.#watchUpstream()
    const rest = await this.#options.reader.end()
    if (this.#over()) return
    if (rest) this.#held = this.#held ? Buffer.concat([this.#held, rest]) : rest
    this.#settleByVerdict()
    await this.#passGate()
  }

  #broken(error: Error): void {
    if (this.#state === 'over') return
    this.#flush()
    this.#upstream = 'broken'
    if (this.#over() || this.#state === 'gated') return
    const { settlement, reader } = this.#options
    settlement.facts.partial = reader.partial
    settlement.settle('upstream_cut', { errorMessage: error.message })
    if (this.#held) this.#write(this.#held)
    this.#cutClient()
  }

  #write(bytes: Uint8Array): void {
    const { response, reply } = this.#options
    if (this.#discarding || response.destroyed) return
    if (response.write(bytes)) return
    reply.body.pause()
    this.#stalled ??= setTimeout(() => this.#clientStalled(), this.#options.clientIdleTimeout)
    this.#stalled.refresh()
    this.#watchUpstream()
  }

  #resume(): void {
    clearTimeout(this.#stalled)
    this.#stalled = undefined
    if (this.#state === 'gated' || this.#state === 'over') return
    this.#options.reply.body.resume()
    this.#watchUpstream()
  }

  /** The upstream's silence counts only while we would take what it says. */
  #watchUpstream(): void {
    clearTimeout(this.#idle)
    this.#idle = undefined
    if (this.#state !== 'flowing' || this.#upstream !== 'open' || this.#stalled) return
    const { upstreamIdleTimeout, settlement } = this.#options
    this.#idle = setTimeout(() => {
      settlement.settle('timed_out', {
        errorType: 'timeout',
        errorMessage: `the upstream sent nothing for ${upstreamIdleTimeout} ms`,
      })
      this.#cutClient()
    }, upstreamIdleTimeout)
  }

  #clientStalled(): void {
    const { settlement, clientIdleTimeout } = this.#options
    settlement.settle('client_gone', {
      errorMessage: `the client took nothing for ${clientIdleTimeout} ms`,
    })
    this.#cutClient()
  }

  /** Nobody reads on: the upstream is dropped and the interception ends as it was decided. */
  #abandon(): void {
    const { settlement, reader } = this.#options
    settlement.facts.partial ||= reader.partial
    settlement.settle('client_gone')
    this.#finish()
  }

  /** The upstream does not end its reply: it is dropped, and ours ends, unless that promised more bytes. */
  #lingered(): void {
    // A client that holds us back is not the upstream's fault.
    if (this.#stalled) return void this.#linger?.refresh()
    this.#options.reply.body.destroy()
    if (this.#length !== undefined && this.#received < this.#length) this.#cutClient()
    else this.#endClient()
  }

  #endClient(last: Uint8Array | null = null): void {
    const { response } = this.#options
    if (this.#discarding || response.destroyed) return this.#finish()
    response.end(last, () => this.#finish())
    // A client that takes nothing would keep the reply open for ever.
    if (response.writableLength > 0)
      this.#stalled ??= setTimeout(() => this.#cutClient(), this.#options.clientIdleTimeout)
  }

  /** The client must see a cut, never a clean end; what was written before it still goes out. */
  #cutClient(): void {
    const { request, response } = this.#options
    cutReply(request, response)
    this.#finish()
  }

  #finish(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    for (const timer of [this.#idle, this.#stalled, this.#linger]) clearTimeout(timer)
    this.#drain?.stop()
    this.#pending = []
    // A body that was read to its end keeps its connection; any other is closed with it.
    if (this.#upstream === 'open') this.#options.reply.body.destroy()
    this.#done()
  }
}
