import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { headerOf } from './raw-http.ts'

export interface RawCall {
  readonly path: string
  /** @default 'sluice.test' */
  readonly host?: string
  /** @default 'POST' */
  readonly method?: string
  /** `[name, value, …]`, sent as they are behind `host`. */
  readonly headers?: readonly string[]
  /** An object goes as JSON; its length is said unless a header says another. */
  readonly body?: string | Uint8Array | object
  /** @default '1.1' */
  readonly version?: '1.0' | '1.1'
  /** Keeps the connection: the reply is over with its last byte. @default false */
  readonly keep?: boolean
}

/** One reply as a bare TCP client saw it. */
export interface RawAnswer {
  readonly status: number
  readonly statusText: string
  /** `[name, value, …]`, case, order and duplicates as they came. */
  readonly headers: readonly string[]
  /** Without the chunks' framing. */
  readonly body: Buffer
  /** `whole` by its length or last chunk; `until-close` has neither; `short` was cut; `reset` broke. */
  readonly end: 'whole' | 'until-close' | 'short' | 'reset'
}

/** A request on its way, whose reply can be read while it comes. */
export interface RawConnection {
  readonly socket: Socket
  /** What of the reply's body has come. */
  body(): Buffer
  /** Resolves when `test` holds for the body so far; rejects where the connection ends before. */
  until(test: (body: Buffer) => boolean): Promise<Buffer>
  readonly answer: Promise<RawAnswer>
}

/** Sends a request and reads its reply to the end of the connection. */
export async function rawCall(port: number, call: RawCall): Promise<RawAnswer> {
  return openCall(port, call).answer
}

export function openCall(port: number, call: RawCall): RawConnection {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const parts: Buffer[] = []
  const watching = new Set<() => void>()
  let reset = false
  const received = () => {
    if (parts.length > 1) parts.splice(0, parts.length, Buffer.concat(parts))
    return parts[0] ?? Buffer.alloc(0)
  }
  socket.on('data', (part) => {
    parts.push(part)
    if (call.keep && isWhole(received())) socket.destroy()
    for (const look of watching) look()
  })
  socket.on('error', () => {
    reset = true
  })
  socket.write(requestBytes(call))
  const answer = once(socket, 'close').then(
    () => parseAnswer(received(), reset),
    () => once(socket, 'close').then(() => parseAnswer(received(), true)),
  )
  const body = () => parseAnswer(received(), reset).body
  return {
    socket,
    body,
    answer,
    until: (test) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const now = body()
          if (received().includes('\r\n\r\n') && test(now)) {
            watching.delete(look)
            resolve(now)
          } else if (socket.destroyed) reject(new Error(`the connection ended at: ${now}`))
        }
        watching.add(look)
        void answer.then(look)
        look()
      }),
  }
}

export function requestBytes({
  path,
  host = 'sluice.test',
  method = 'POST',
  headers = ['content-type', 'application/json'],
  body,
  version = '1.1',
  keep = false,
}: RawCall): Buffer {
  const bytes = bytesOf(body)
  const said =
    headerOf(headers, 'content-length') ?? headerOf(headers, 'transfer-encoding') ?? undefined
  const fields = [
    `host: ${host}`,
    ...(keep ? [] : ['connection: close']),
    ...(bytes.length > 0 && said === undefined ? [`content-length: ${bytes.length}`] : []),
  ]
  for (let at = 0; at + 1 < headers.length; at += 2)
    fields.push(`${headers[at]}: ${headers[at + 1]}`)
  const head = `${method} ${path} HTTP/${version}\r\n${fields.join('\r\n')}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}

function bytesOf(body: RawCall['body']): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(JSON.stringify(body))
}

function isWhole(bytes: Buffer): boolean {
  return parseAnswer(bytes, false).end === 'whole'
}

function parseAnswer(bytes: Buffer, reset: boolean): RawAnswer {
  const border = bytes.indexOf('\r\n\r\n')
  const head = border < 0 ? '' : bytes.toString('latin1', 0, border)
  const [line = '', ...fields] = head.split('\r\n')
  const [, status = '0', statusText = ''] = /^HTTP\/1\.1 (\d+) ?(.*)$/s.exec(line) ?? []
  const headers = fields.flatMap((field) => {
    const colon = field.indexOf(':')
    return [field.slice(0, colon), field.slice(colon + 1).trim()]
  })
  const rest = border < 0 ? Buffer.alloc(0) : bytes.subarray(border + 4)
  const { body, end } = framed(rest, headers, Number(status))
  const broken = end === 'whole' ? end : reset ? 'reset' : end
  return { status: Number(status), statusText, headers, body, end: broken }
}

function framed(
  rest: Buffer,
  headers: readonly string[],
  status: number,
): Pick<RawAnswer, 'body' | 'end'> {
  const length = headerOf(headers, 'content-length')
  if (/chunked/i.test(headerOf(headers, 'transfer-encoding') ?? '')) return dechunked(rest)
  if (status === 0) return { body: rest, end: 'short' }
  if (length === undefined) return { body: rest, end: 'until-close' }
  const body = rest.subarray(0, Number(length))
  return { body, end: body.length === Number(length) ? 'whole' : 'short' }
}

function dechunked(rest: Buffer): Pick<RawAnswer, 'body' | 'end'> {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = rest.indexOf('\r\n', at)
    const size = line < 0 ? Number.NaN : Number.parseInt(rest.toString('latin1', at, line), 16)
    if (size === 0) return { body: Buffer.concat(parts), end: 'whole' }
    const border = line + 2 + size
    parts.push(rest.subarray(line + 2, Number.isNaN(size) ? line + 2 : border))
    if (!(border + 2 <= rest.length)) return { body: Buffer.concat(parts), end: 'short' }
    at = border + 2
  }
}
