import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { Misbehaviour } from './misbehaviour.ts'

export interface Outgoing {
  readonly status: number
  readonly statusText?: string | undefined
  /** Names and values in turn. */
  readonly headers: readonly string[]
  /** One write each. */
  readonly body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** The headers wait for the first byte of the body, so that both leave in one packet. */
  readonly together: boolean
}

export interface Watch {
  /** Aborts when the client has left. */
  readonly signal: AbortSignal
  onBytes(bytes: number): void
  /** Called before the connection is cut. */
  onCut(): void
}

/** Writes a reply at its pace and with its faults. Rejects with an `AbortError` when the client leaves. */
export async function deliver(
  response: ServerResponse,
  outgoing: Outgoing,
  { pause = 0, delay = 0, stall, cut, cutBytes = Infinity, how, length, close, open }: Misbehaviour,
  { signal, onBytes, onCut }: Watch,
): Promise<void> {
  const limit = { writes: Math.min(ordinal(cut), ordinal(stall)), bytes: cutBytes }
  writeHead(response, outgoing, close)
  if (!outgoing.together || pause > 0) response.flushHeaders()
  if (pause > 0) await sleep(pause, undefined, { signal })

  let writes = 0
  let bytes = 0
  for await (const chunk of outgoing.body) {
    if (writes >= limit.writes || bytes >= limit.bytes) break
    if (writes > 0) await (delay > 0 ? sleep(delay, undefined, { signal }) : turn())
    const part = chunk.subarray(0, limit.bytes - bytes)
    if (!response.write(part)) await once(response, 'drain', { signal })
    signal.throwIfAborted()
    writes++
    bytes += part.byteLength
    onBytes(part.byteLength)
  }

  if (writes === ordinal(stall) || open) {
    response.flushHeaders()
    await once(response, 'close', { signal })
  }
  if (writes === ordinal(cut) || bytes >= cutBytes) {
    onCut()
    return breakOff(response, how)
  }
  response.end()
  // A wrong length leaves the connection unusable: what comes next would be read as part of this reply.
  if (length !== undefined) response.socket?.destroySoon()
}

/** Ends the connection, or the body, before its time. */
export async function breakOff(
  response: ServerResponse,
  how: Misbehaviour['how'] = 'reset',
): Promise<void> {
  // Two turns let what was written reach the peer: a reset drops what is still queued.
  await turn()
  await turn()
  if (how === 'end') response.end()
  else if (how === 'fin') response.socket?.destroySoon()
  else response.socket?.resetAndDestroy()
}

function writeHead(response: ServerResponse, outgoing: Outgoing, close = false): void {
  const { status, statusText, headers } = outgoing
  if (close) response.removeHeader('transfer-encoding')
  if (statusText === undefined) response.writeHead(status, [...headers])
  else response.writeHead(status, statusText, [...headers])
}

function ordinal(given: number | true | undefined): number {
  return typeof given === 'number' ? given : Infinity
}
