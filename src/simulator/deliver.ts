import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { Misbehaviour } from './misbehaviour.ts'
import type { Watch } from './receive.ts'

export interface Outgoing {
  readonly status: number
  readonly statusText?: string | undefined
  /** Names and values in turn. */
  readonly headers: readonly string[]
  /** One write each. */
  readonly body: Chunks
  /** The headers wait for the first byte of the body, so that both leave in one packet. */
  readonly together: boolean
}

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Writes a reply at its pace and with its faults; rejects when the client leaves. */
export async function deliver(
  response: ServerResponse,
  { status, statusText, headers, body, together }: Outgoing,
  { pause = 0, delay = 0, stall, cut, cutBytes = Infinity, how, length, close, open }: Misbehaviour,
  { signal, sent, ends }: Watch,
): Promise<void> {
  if (close) response.removeHeader('transfer-encoding')
  response.writeHead(status, statusText, [...headers])
  if (!together || pause > 0) response.flushHeaders()
  if (pause > 0) await sleep(pause, undefined, { signal })

  const mostWrites = Math.min(ordinal(cut), ordinal(stall))
  let writes = 0
  let bytes = 0
  for await (const chunk of mostWrites > 0 && cutBytes > 0 ? body : []) {
    if (writes > 0) await (delay > 0 ? sleep(delay, undefined, { signal }) : turn())
    const part = chunk.subarray(0, cutBytes - bytes)
    sent(part.byteLength)
    if (!response.write(part)) await once(response, 'drain', { signal })
    signal.throwIfAborted()
    writes++
    bytes += part.byteLength
    if (writes >= mostWrites || bytes >= cutBytes) break
  }

  if (writes === ordinal(cut) || bytes >= cutBytes) {
    ends('cut')
    return breakOff(response, how)
  }
  if (writes === ordinal(stall) || open) {
    response.flushHeaders()
    await once(response, 'close', { signal })
  }
  response.end()
  // A wrong length leaves the connection unusable: what comes next would be read as part of this reply.
  if (length !== undefined) response.socket?.destroySoon()
}

/** Writes status line, headers and all straight to the socket. */
export async function deliverWire(
  response: ServerResponse,
  chunks: Chunks,
  { delay = 0, open, how = 'fin' }: Misbehaviour,
  { signal, sent, ends }: Watch,
): Promise<void> {
  const { socket } = response
  for await (const chunk of chunks) {
    sent(chunk.byteLength)
    await new Promise((resolve) => socket?.write(chunk, resolve))
    signal.throwIfAborted()
    if (delay > 0) await sleep(delay, undefined, { signal })
  }
  if (open) return
  ends('sent')
  return breakOff(response, how)
}

/** Ends the connection, or the body, before its time. */
export async function breakOff(
  response: ServerResponse,
  how: Misbehaviour['how'] = 'reset',
): Promise<void> {
  if (response.headersSent) response.flushHeaders()
  // Two turns let what was written reach the peer: a reset drops what is still queued.
  await turn()
  await turn()
  if (how === 'end') response.end()
  else if (how === 'fin') response.socket?.destroySoon()
  else response.socket?.resetAndDestroy()
}

function ordinal(given: number | true | undefined): number {
  return typeof given === 'number' ? given : Infinity
}
