import { finished, PassThrough, type Readable } from 'node:stream'
import type { UpstreamRequest } from '../upstream.ts'

/** Headers of our own connection; client libraries throw on some of them, and set the others. */
const ours: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** Of a reply's head, in bytes; Node's and undici's own is 16 KiB, which policies, cookies and tokens can fill. */
export const maxHeaderSize: number = 64 * 1024

export interface Outgoing {
  /** The raw header list less what the transport sets, plus `content-length` where it is known. */
  readonly headers: string[]
  readonly body: OneChunk | PassThrough | null
  /** True for a body whose length nobody knows. */
  readonly chunked: boolean
}

/** What both HTTP clients are given to send. */
export function outgoing({ method, headers, body, contentLength }: UpstreamRequest): Outgoing {
  const list: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (!ours.has(name.toLowerCase())) list.push(name, headers[i + 1] as string)
  }
  const length = body instanceof Uint8Array ? body.byteLength : body ? contentLength : 0
  if (length === 0 || body === null) {
    // Without this `node:http` announces a chunked body; a method that expects none sends nothing.
    if (/^(POST|PUT|PATCH)$/.test(method)) list.push('content-length', '0')
    return { headers: list, body: null, chunked: false }
  }
  if (length !== undefined) list.push('content-length', String(length))
  return {
    headers: list,
    body: body instanceof Uint8Array ? new OneChunk(body) : passedOn(body),
    chunked: length === undefined,
  }
}

/** Lets go of the chunk once it is taken: clients keep the body they were given until the reply has ended. */
class OneChunk implements Iterable<Uint8Array>, Iterator<Uint8Array, undefined> {
  #chunk: Uint8Array | undefined

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<Uint8Array, undefined> {
    const value = this.#chunk
    this.#chunk = undefined
    return value ? { done: false, value } : { done: true, value: undefined }
  }
}

/**
 * Both clients destroy the body of a request that is answered early; this keeps that from the
 * caller's own stream, which may be a client's socket that is still to be answered.
 */
function passedOn(source: Readable): PassThrough {
  const copy = new PassThrough()
  copy.on('error', () => {})
  finished(source, { writable: false }, (error) => {
    if (error) copy.destroy(error)
  })
  return source.pipe(copy)
}
