import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { RawHeaders, Reply, UpstreamRequest } from '../upstream.ts'
import type { Line, Lined } from './undici-agent.ts'
import { errorOf, unreachable } from './unreachable.ts'

interface ExchangeOptions extends Pick<UpstreamRequest, 'url' | 'signal'> {
  readonly proxy: URL | undefined
  readonly upload: object | null
  readonly resolve: (reply: Reply) => void
  readonly reject: (reason: unknown) => void
}

/** One request and its reply, called by undici as things happen. Holds nothing of the request's body. */
export class Exchange implements Lined {
  line: Line | undefined = undefined
  readonly #url: URL
  readonly #proxy: URL | undefined
  readonly #signal: AbortSignal
  readonly #upload: Readable | null
  readonly #resolve: (reply: Reply) => void
  readonly #reject: (reason: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #body: Readable | undefined
  /** What came in this turn: a read of the socket may hold hundreds of HTTP chunks. */
  #chunks: Buffer[] = []
  #over = false

  constructor({ url, proxy, signal, upload, resolve, reject }: ExchangeOptions) {
    this.#url = url
    this.#proxy = proxy
    this.#signal = signal
    this.#upload = upload instanceof Readable ? upload : null
    this.#resolve = resolve
    this.#reject = reject
    // Not as an object with `handleEvent`: what Node makes of that keeps whole requests alive in V8.
    signal.addEventListener('abort', this.#abort, once)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(errorOf(this.#signal.reason))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText = '',
  ): void {
    if (status < 200) return
    const body = new Readable({
      read: () => controller.resume(),
      destroy: (error, callback) => {
        if (!this.#over) {
          this.#finish()
          controller.abort(error ?? new Error('the reply was given up by its reader'))
        }
        callback(error)
      },
    })
    this.#body = body
    this.#resolve({
      status,
      statusText: latin1(statusText),
      headers: rawHeaders(controller.rawHeaders),
      body,
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#chunks.push(chunk) === 1) process.nextTick(Exchange.#passOn, this)
  }

  onResponseEnd(): void {
    // A body that lasts until the connection closes would pass for whole after a reset.
    const fault = this.line?.socket?.errored
    Exchange.#passOn(this)
    if (fault) {
      this.#fail(fault)
    } else {
      this.#finish()
      this.#body?.push(null)
    }
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#fail(error)
  }

  #abort = (): void => {
    const reason = errorOf(this.#signal.reason)
    if (this.#controller) this.#controller.abort(reason)
    else this.line?.connecting?.destroy(reason)
    this.#fail(reason)
  }

  static #passOn(exchange: Exchange): void {
    const chunks = exchange.#chunks
    const [first] = chunks
    const body = exchange.#body
    if (!first || !body || body.destroyed) return
    exchange.#chunks = []
    const bytes = chunks.length === 1 ? first : Buffer.concat(chunks)
    if (!body.push(bytes)) exchange.#controller?.pause()
  }

  #fail(error: Error): void {
    if (this.#over) return
    Exchange.#passOn(this)
    this.#finish()
    this.#upload?.destroy()
    const body = this.#body
    // A reader that was just given its reply gets to listen, and to take what is there, first.
    if (body) setImmediate(() => body.destroy(error))
    else
      this.#reject(
        this.#signal.aborted ? this.#signal.reason : unreachable(this.#url, error, this.#proxy),
      )
  }

  #finish(): void {
    this.#over = true
    this.#signal.removeEventListener('abort', this.#abort)
  }
}

const once = { once: true }

/** The list of an HTTP/1.1 reply comes as bytes; an HTTP/2 one has none, only names and values. */
function rawHeaders(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (Array.isArray(raw)) return raw.map((item) => trimmed(item.toString('latin1')))
  return Object.entries(raw ?? {}).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((item) => [name, item]),
  )
}

/** undici leaves the blanks after a value on it; `node:http`, as HTTP has it, does not. */
function trimmed(value: string): string {
  return /[\t ]$/.test(value) ? value.replace(/[\t ]+$/, '') : value
}

/** undici decodes the reason phrase as UTF-8: its bytes are got back, but those that were no UTF-8. */
function latin1(text: string): string {
  return /^[\0-\x7f]*$/.test(text)
    ? text
    : Buffer.from(text.replaceAll('\ufffd', '?')).toString('latin1')
}
