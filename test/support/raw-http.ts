import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** A request as its bytes were, and the socket to answer on. */
export interface RawRequest {
  readonly line: string
  /** `[name, value, …]`, case, order and duplicates as sent. */
  readonly headers: readonly string[]
  /** Without the chunks' framing. */
  readonly body: Buffer
  readonly bytes: Buffer
  readonly socket: Socket
  /** Which of the upstream's connections it came on, from 1. */
  readonly connection: number
}

export interface RawUpstream {
  readonly url: URL
  readonly requests: readonly RawRequest[]
  readonly sockets: readonly Socket[]
  close(): Promise<void>
}

/** A server that reads whole requests and lets `answer` write whatever bytes it likes. */
export async function rawUpstream(answer: (request: RawRequest) => unknown): Promise<RawUpstream> {
  const requests: RawRequest[] = []
  const { server, sockets, close } = await listen((socket, connection) => {
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        const parsed = parseRequest(pending)
        if (!parsed) return
        pending = pending.subarray(parsed.bytes.length)
        const request = { ...parsed, socket, connection }
        requests.push(request)
        answer(request)
      }
    })
  })
  return { url: new URL(`http://127.0.0.1:${portOf(server)}/`), requests, sockets, close }
}

/** A bare TCP server on a free port; `close` also cuts its connections. */
export async function listen(
  onSocket: (socket: Socket, connection: number) => void,
): Promise<{ server: Server; sockets: Socket[]; close: () => Promise<void> }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    // A client that resets its connection is what many a test wants.
    socket.on('error', () => {})
    onSocket(socket, sockets.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      if (server.listening) await once(server, 'close')
    },
  }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** The first whole request in the bytes, or null while it is not all there. */
function parseRequest(
  bytes: Buffer,
): Pick<RawRequest, 'line' | 'headers' | 'body' | 'bytes'> | null {
  const split = bytes.indexOf('\r\n\r\n')
  if (split < 0) return null
  const [line = '', ...fields] = bytes.toString('latin1', 0, split).split('\r\n')
  const headers = fields.flatMap((field) => {
    const colon = field.indexOf(':')
    return [field.slice(0, colon), field.slice(colon + 1).trim()]
  })
  const rest = bytes.subarray(split + 4)
  const chunked = /chunked/i.test(headerOf(headers, 'transfer-encoding') ?? '')
  const length = Number(headerOf(headers, 'content-length') ?? 0)
  const read = chunked ? unchunk(rest) : rest.length < length ? null : whole(rest, length)
  if (!read) return null
  return { line, headers, body: read.body, bytes: bytes.subarray(0, split + 4 + read.size) }
}

/** The first value of a header in a raw list. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((item, i) => i % 2 === 0 && item.toLowerCase() === name)
  return at < 0 ? undefined : headers[at + 1]
}

function whole(bytes: Buffer, size: number): { body: Buffer; size: number } {
  return { body: bytes.subarray(0, size), size }
}

function unchunk(bytes: Buffer): { body: Buffer; size: number } | null {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return null
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    const next = line + 2 + size + 2
    if (bytes.length < next) return null
    if (size === 0) return { body: Buffer.concat(parts), size: next }
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = next
  }
}
