import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { within } from '../../src/core/within.ts'
import { type MixedRequest, mixedRequest, terminal } from './request-mix.ts'

/** What a client knows of one of its requests. */
export interface Seen extends Omit<MixedRequest, 'body' | 'path' | 'simulate'> {
  /** It has all that it would act on: the terminal frame, or the whole body. */
  readonly whole: boolean
  readonly status: number
}

export interface LoadOptions {
  readonly port: number
  /** Clients at a time. @default 50 */
  readonly clients?: number
  /** How long a streamed reply takes, in ms. @default 80 */
  readonly pace?: number
  /** No more requests than these. @default no bound */
  readonly atMost?: number
}

const patience = 60_000

/** Clients that ask one after the other, whatever becomes of the gateway, and remember what they received. */
export class Load {
  readonly #options: Required<LoadOptions>
  readonly #agent = new Agent({ keepAlive: true })
  /** By the interception's id. */
  readonly seen = new Map<string, Seen>()
  /** Requests without an id in their reply: the gateway was not there, or going. */
  refused = 0
  /** Clients that were left to wait. */
  hung = 0
  #sent = 0
  #waiting = 0
  #running: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor({ port, clients = 50, pace = 80, atMost = Number.POSITIVE_INFINITY }: LoadOptions) {
    this.#options = { port, clients, pace, atMost }
  }

  get sent(): number {
    return this.#sent
  }

  get whole(): number {
    return this.seen.values().reduce((sum, { whole }) => sum + (whole ? 1 : 0), 0)
  }

  start(): void {
    this.#stopped = false
    const clients = Array.from({ length: this.#options.clients }, () => this.#ask())
    this.#running = Promise.all(clients)
  }

  /** Resolves when so many more replies have come whole. */
  async more(replies: number): Promise<void> {
    const wanted = this.whole + replies
    while (this.whole < wanted) await pause(50)
  }

  /** Resolves when every client has got its reply, or the end of its connection, or evidently gets neither. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (!(await within(this.#running, patience))) this.hung = this.#waiting
    this.#agent.destroy()
  }

  async #ask(): Promise<void> {
    while (!this.#stopped && this.#sent < this.#options.atMost) {
      const mixed = mixedRequest(this.#sent++, this.#options.pace)
      this.#waiting++
      const answered = await this.#exchange(mixed)
      this.#waiting--
      if (answered) continue
      this.refused++
      await pause(100)
    }
  }

  /** True where the reply had an interception's id. */
  #exchange({ path, body, simulate, ...rest }: MixedRequest): Promise<boolean> {
    return new Promise((resolve) => {
      const headers = {
        'content-type': 'application/json',
        authorization: 'Bearer sk-mine',
        'x-simulate': simulate,
      }
      const { port } = this.#options
      const call = request({
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        headers,
        agent: this.#agent,
      })
      call.on('error', () => resolve(false))
      call.on('response', async (response) => {
        const id = String(response.headers['x-sluice-interception-id'] ?? '')
        const whole = await this.#receive(response, rest)
        if (id !== '') this.seen.set(id, { ...rest, whole, status: response.statusCode ?? 0 })
        resolve(id !== '')
      })
      call.end(body)
    })
  }

  async #receive(
    response: IncomingMessage,
    { format, streaming, fate }: Omit<MixedRequest, 'body' | 'path' | 'simulate'>,
  ): Promise<boolean> {
    let tail = ''
    let ended = false
    try {
      for await (const chunk of response) {
        if (fate === 'left') return false
        tail = (tail + String(chunk)).slice(-20_000)
        ended ||= tail.includes(terminal[format])
      }
    } catch {
      // Cut; what had come counts.
    }
    // Ours is an error reply where the gateway goes down; the interception then ended as the record says.
    const status = fate === 'refused' ? 529 : 200
    if (response.statusCode !== status) return false
    return streaming && status === 200 ? ended : response.complete
  }
}
