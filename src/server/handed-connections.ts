import type { ChildProcess } from 'node:child_process'

interface Handle {
  close(): void
}

/**
 * Node's cluster gives each new connection to a worker, and keeps it open until the worker has said that it took
 * it; of a worker that dies in between it waits for ever, and so does the client. Returns what closes those.
 * https://github.com/nodejs/node/blob/v24.x/lib/internal/cluster/round_robin_handle.js (`handoff`)
 */
export function watchHandedConnections(child: ChildProcess): () => void {
  /** By the number of the message that brought it. */
  const handed = new Map<number, Handle>()
  const send = child.send as (...args: unknown[]) => boolean
  const watchedSend = (...args: unknown[]): boolean => {
    const [message, handle] = args as [{ act?: unknown; seq?: unknown }, Handle | undefined]
    if (handle && message.act === 'newconn' && typeof message.seq === 'number')
      handed.set(message.seq, handle)
    return send.apply(child, args)
  }
  Object.assign(child, { send: watchedSend })
  child.on('internalMessage', ({ ack }: { ack?: number }) => {
    if (ack !== undefined) handed.delete(ack)
  })
  return () => {
    for (const handle of handed.values()) handle.close()
    handed.clear()
  }
}
