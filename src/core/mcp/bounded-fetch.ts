import { AsyncLocalStorage } from 'node:async_hooks'
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js'
import { withTraceHeaders } from './trace-context.ts'

/** The call that is being sent: hears when its answer can't come any more. */
export const sentCall: AsyncLocalStorage<{ readonly broken: (why: string) => void }> =
  new AsyncLocalStorage()

/** How long the SDK may take to resume an answer whose events had ids. */
const resumeMs = 10_000

/**
 * `fetch` for MCP: an answer over `maxBytes` breaks off before it is all in memory, and a call whose event stream ends
 * without an answer is told so (the SDK would wait for its time-out).
 */
export function boundedFetch(maxBytes: number, call: FetchLike = fetch): FetchLike {
  return async (url, init) => {
    const headers = init?.method === 'POST' ? withTraceHeaders(init.headers) : init?.headers
    const response = await call(url, headers ? { ...init, headers } : init).catch(reasoned)
    const { body, status, statusText, headers: answered } = response
    if (!body) return response
    const streamed = /^text\/event-stream/i.test(answered.get('content-type') ?? '')
    const waiting = init?.method === 'POST' && response.ok ? sentCall.getStore() : undefined
    const bounded = body.pipeThrough(bound({ maxBytes, streamed, broken: waiting?.broken }))
    return new Response(bounded, { status, statusText, headers: answered })
  }
}

/** `fetch failed` says nothing; its cause says what. */
function reasoned(error: unknown): never {
  if (!(error instanceof TypeError && error.cause instanceof Error)) throw error
  const { cause } = error
  const why = cause.message || ('code' in cause ? String(cause.code) : '')
  throw why === '' ? error : new TypeError(`${error.message}: ${why}`, { cause })
}

interface BoundOptions {
  readonly maxBytes: number
  readonly streamed: boolean
  readonly broken: ((why: string) => void) | undefined
}

function bound({
  maxBytes,
  streamed,
  broken = () => {},
}: BoundOptions): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  let resumable = false
  let over = false
  const ended = () =>
    setTimeout(
      () => broken('the server ended its answer before it was whole'),
      resumable ? resumeMs : 50,
    ).unref()
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length
      const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      // What counts in a stream is one event.
      const border = streamed
        ? Math.max(view.lastIndexOf('\n\n'), view.lastIndexOf('\r\n\r\n'))
        : -1
      if (border >= 0) bytes = chunk.length - border
      if (streamed) resumable ||= /(^|\n)id:/.test(view.toString('latin1', 0, 256))
      if (bytes > maxBytes) {
        over = true
        const why = `the server sent more than ${maxBytes} bytes`
        broken(why)
        controller.error(new Error(why))
        return
      }
      controller.enqueue(chunk)
    },
    flush() {
      if (!over) ended()
    },
    cancel() {
      if (!over) ended()
    },
  })
}
