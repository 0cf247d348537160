import { connect, type Socket } from 'node:net'

/** What a bare TCP client saw of one reply. */
export interface RawReply {
  readonly head: string
  /** The body as it was on the wire, chunk sizes and all. */
  readonly rest: Buffer
  /** The body without chunk sizes, where it came in chunks. */
  readonly body: Buffer
  /** The sizes of its chunks. */
  readonly chunks: readonly number[]
  /** A body in chunks had its last, empty one. */
  readonly whole: boolean
  readonly end: 'fin' | 'reset'
}

export function rawSocket(port: number, path: string, body: unknown, headers = ''): Socket {
  const text = JSON.stringify(body)
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  )
  return socket
}

/** Sends a request that asks for the connection to be closed and reads until it is. */
export async function rawPost(
  port: number,
  path: string,
  body: unknown,
  headers = '',
): Promise<RawReply> {
  return readReply(rawSocket(port, path, body, `connection: close\r\n${headers}`))
}

export async function readReply(socket: Socket): Promise<RawReply> {
  const parts: Buffer[] = []
  let end: RawReply['end'] = 'fin'
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.on('error', () => {
    end = 'reset'
  })
  await new Promise((resolve) => socket.once('close', resolve))
  const all = Buffer.concat(parts)
  const border = all.indexOf('\r\n\r\n')
  const head = border < 0 ? '' : all.toString('latin1', 0, border)
  const rest = border < 0 ? all : all.subarray(border + 4)
  const chunked = /^transfer-encoding: chunked/im.test(head)
  return {
    head,
    rest,
    end,
    ...(chunked ? dechunked(rest) : { body: rest, chunks: [], whole: true }),
  }
}

function dechunked(rest: Buffer): Pick<RawReply, 'body' | 'chunks' | 'whole'> {
  const parts: Buffer[] = []
  let whole = false
  for (let at = 0; at < rest.length && !whole; ) {
    const line = rest.indexOf('\r\n', at)
    const size = Number.parseInt(rest.toString('latin1', at, line), 16)
    whole = size === 0
    if (!whole) parts.push(rest.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
  return { body: Buffer.concat(parts), chunks: parts.map(({ length }) => length), whole }
}
