import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseJson } from '../core/json.ts'
import type { ReceivedRequest } from './reply.ts'

/** What is noted while a reply goes out. */
export interface Watch {
  /** Aborts when the reply is over or the client has left. */
  readonly signal: AbortSignal
  sent(bytes: number): void
  /** Called before the connection is broken off on purpose. */
  ends(how: 'sent' | 'cut'): void
}

/** Reads a request to its end. */
export async function receive(
  message: IncomingMessage,
  response: ServerResponse,
  closed: Promise<void> = Promise.resolve(),
): Promise<{ readonly request: ReceivedRequest; readonly watch: Watch }> {
  const over = new AbortController()
  const { promise: ended, resolve: settle } = Promise.withResolvers<'sent' | 'cut' | 'gone'>()
  let planned: 'sent' | 'cut' | undefined
  let bytesWritten = 0
  response.once('close', () => {
    settle(planned ?? (response.writableFinished ? 'sent' : 'gone'))
    over.abort()
  })
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part)
  const body = Buffer.concat(parts)
  const json = once(() => parseJson(body.toString()))
  const { method = '', url = '', rawHeaders, headers } = message
  return {
    request: {
      method,
      url,
      rawHeaders,
      headers,
      body,
      get json() {
        return json()
      },
      get bytesWritten() {
        return bytesWritten
      },
      ended,
      closed,
    },
    watch: {
      signal: over.signal,
      sent(bytes) {
        bytesWritten += bytes
      },
      ends(how) {
        planned = how
      },
    },
  }
}

function once<Value>(compute: () => Value): () => Value {
  let result: { readonly value: Value } | undefined
  return () => {
    result ??= { value: compute() }
    return result.value
  }
}
