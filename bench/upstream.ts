import { createServer, type Socket } from 'node:net'
import type { FormatName } from '../src/core/records.ts'
import { type AnswerSpec, answerTo, specOf } from './answers.ts'
import { routes } from './requests.ts'

/**
 * The provider behind every target, on plain sockets so that it costs little: it knows just enough HTTP for
 * requests with a content-length, and writes answers that are framed beforehand.
 */
const server = createServer({ noDelay: true }, serve)
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
  const address = server.address()
  if (typeof address === 'object') console.log(`listening on http://127.0.0.1:${address?.port}`)
})

function serve(socket: Socket): void {
  let unread: Buffer = Buffer.alloc(0)
  let timer: NodeJS.Timeout | undefined
  socket.on('data', (data) => {
    unread = unread.length === 0 ? data : Buffer.concat([unread, data])
    for (let length = requestLength(unread); length > 0; length = requestLength(unread)) {
      timer = reply(socket, unread.subarray(0, length))
      unread = unread.subarray(length)
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => clearInterval(timer))
}

/** The length of the request at the beginning of `bytes`; 0 while it is not whole. */
function requestLength(bytes: Buffer): number {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return 0
  const [, length = ''] =
    /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head)) ?? []
  if (length === '') throw new Error('this upstream takes only requests with a content-length')
  const whole = head + 4 + Number(length)
  return whole <= bytes.length ? whole : 0
}

function reply(socket: Socket, request: Buffer): NodeJS.Timeout | undefined {
  const spec = specOfRequest(request)
  if (!spec.stream || spec.delay === 0) {
    socket.write(wholeReply(spec))
    return undefined
  }
  const { parts } = answerTo(spec)
  let next = 0
  socket.write(streamHead)
  const timer = setInterval(() => {
    const part = parts[next++]
    if (part) return void socket.write(chunk(part))
    clearInterval(timer)
    socket.write(lastChunk)
  }, spec.delay)
  return timer
}

function specOfRequest(request: Buffer): AnswerSpec {
  const path = request.toString('latin1', 0, request.indexOf(' HTTP/1.1'))
  const format = formats.find((name) => path.endsWith(routes[name].path))
  const body = request.indexOf('\r\n\r\n') + 4
  // The bench's own requests begin so, and gateways leave them as they are.
  const [, model = '', stream] =
    /^\{"model":"([^"]+)","stream":(true|false)/.exec(
      request.toString('latin1', body, body + 100),
    ) ?? []
  if (!format) throw new Error(`no route of this bench: ${path}`)
  return { ...specOf(model), format, stream: stream === 'true' }
}

const formats = Object.keys(routes) as FormatName[]
const lastChunk = Buffer.from('0\r\n\r\n')
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n',
)
const framed = new Map<Buffer, Buffer>()

function wholeReply(spec: AnswerSpec): Buffer {
  const { parts, body } = answerTo(spec)
  let bytes = framed.get(body)
  if (!bytes) {
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\ncontent-length: ${body.length}\r\n\r\n`
    bytes = spec.stream
      ? Buffer.concat([streamHead, ...parts.map(chunk), lastChunk])
      : Buffer.concat([Buffer.from(head), body])
    framed.set(body, bytes)
  }
  return bytes
}

function chunk(part: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])
}
