import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Request as GotStream } from 'got'
import type { RawHeaders, Reply, UpstreamRequest } from '../upstream.ts'
import type { Wire } from './got-request.ts'
import { errorOf, unreachable } from './unreachable.ts'

interface Call extends Pick<UpstreamRequest, 'url' | 'signal'> {
  readonly proxy: URL | undefined
  readonly upload: object | null
  readonly wire: Wire
}

/** Settles when got has the reply's headers; from then on the body is Node's own, not got's copy. */
export function gotReply(
  stream: GotStream,
  { url, proxy, signal, upload, wire }: Call,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let body: Readable | undefined
    let over = false

    /** True for the first cause only; later ones follow from it. */
    function settle(): boolean {
      const first = !over
      over = true
      signal.removeEventListener('abort', abort)
      return first
    }

    function fail(error: unknown): void {
      if (!settle()) return
      stream.destroy()
      if (upload instanceof Readable) upload.destroy()
      // A reader that was just given its reply gets to listen, and to take what is there, first.
      if (body) setImmediate(() => body?.destroy(errorOf(error)))
      else reject(signal.aborted ? signal.reason : unreachable(url, error, proxy))
    }

    function abort(): void {
      fail(signal.reason)
    }

    function answered(response: IncomingMessage): void {
      // A complete message may still be followed by bytes that are none.
      wire.fault = (error) => response.complete || fail(error)
      body = pulled(response, () => settle() && stream.destroy())
      response.once('error', fail)
      response.once('close', () => fail(new Error('the connection closed amid the reply')))
      response.once('end', () => settle() && body?.push(null))
      const { statusCode = 0, statusMessage = '' } = response
      const statusText = wire.statusText ?? statusMessage
      resolve({ status: statusCode, statusText, headers: http1(response.rawHeaders), body })
    }

    signal.addEventListener('abort', abort, { once: true })
    stream.once('response', answered)
    // got's own error carries the request's headers, and with them its credentials.
    stream.on('error', (error) => body || fail(error.cause ?? new Error(error.message)))
  })
}

/** got listens for `readable`, too, which keeps `data` from flowing: so the body is pulled. */
function pulled(response: IncomingMessage, leave: () => void): Readable {
  let wanted = false
  const body = new Readable({
    read() {
      wanted = true
      pull()
    },
    destroy(error, callback) {
      leave()
      callback(error)
    },
  })
  function pull(): void {
    while (wanted) {
      const chunk: Buffer | null = response.read()
      if (chunk === null) return
      wanted = body.push(chunk)
    }
  }
  response.on('readable', pull)
  return body
}

/** The raw list of an HTTP/2 reply has its status in it, too. */
function http1(headers: RawHeaders): RawHeaders {
  return headers[0]?.startsWith(':') ? headers.slice(2) : headers
}
