import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseJson } from '../core/json.ts'
import { buffers, composed } from './compose.ts'
import { breakOff, deliver } from './deliver.ts'
import type { ReceivedRequest, Reply } from './reply.ts'

/** One request and its reply. */
export interface Exchange {
  received(): Promise<ReceivedRequest>
  reply(request: ReceivedRequest, reply: Reply, salt: string): Promise<void>
}

export function exchangeOf(
  message: IncomingMessage,
  response: ServerResponse,
  closed: Promise<void> = Promise.resolve(),
): Exchange {
  const { socket } = message
  const gone = new AbortController()
  const { signal } = gone
  const { promise: ended, resolve: settle } = Promise.withResolvers<'sent' | 'cut' | 'gone'>()
  let planned: 'sent' | 'cut' | undefined
  let bytesWritten = 0
  response.once('close', () => {
    settle(planned ?? (response.writableFinished ? 'sent' : 'gone'))
    gone.abort()
  })

  return {
    async received() {
      const parts: Buffer[] = []
      for await (const part of message) parts.push(part)
      const body = Buffer.concat(parts)
      let json: unknown
      let parsed = false
      const { method = '', url = '', rawHeaders, headers } = message
      return {
        method,
        url,
        rawHeaders,
        headers,
        body,
        get json() {
          if (!parsed) json = parseJson(body.toString())
          parsed = true
          return json
        },
        get bytesWritten() {
          return bytesWritten
        },
        ended,
        closed,
      }
    },

    async reply(request, reply, salt) {
      const { wait = 0, stall, cut, how, wire, open } = reply
      if (wait > 0) await sleep(wait, undefined, { signal })
      if (stall === true) return
      if (cut === true) {
        planned = 'cut'
        return breakOff(response, how)
      }
      const onBytes = (bytes: number) => {
        bytesWritten += bytes
      }
      if (wire !== undefined) {
        const whole = typeof wire === 'string' || wire instanceof Uint8Array
        for await (const chunk of buffers(whole ? [wire] : wire)) {
          onBytes(chunk.byteLength)
          await new Promise((resolve) => socket.write(chunk, resolve))
          signal.throwIfAborted()
        }
        planned = 'sent'
        if (!open) socket.destroySoon()
        return
      }
      if (Array.isArray(reply.headers)) response.sendDate = false
      const outgoing = composed(request, reply, salt)
      const marks = {
        signal,
        onBytes,
        onCut: () => {
          planned = 'cut'
        },
      }
      await deliver(response, outgoing, reply, marks)
    },
  }
}
