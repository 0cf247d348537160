import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, isIPv6, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { Writable } from 'node:stream'

export interface SyslogOptions {
  /** `udp://host:port`, `tcp://host:port` or `unix:/path`. */
  readonly url: string
  readonly facility: number
  readonly app: string
  readonly onDrop: (reason: string) => void
}

/** What a datagram may have: more is cut on its way. */
const maxDatagram = 60_000
const firstPauseMs = 500
const longestPauseMs = 30_000

/** Sends each line as a message of RFC 5424. Over a stream lines wait while the other side is away. */
export function syslog({ url, facility, app, onDrop }: SyslogOptions): Writable {
  const message = (line: Buffer) => rfc5424(line, facility, app)
  const { protocol, hostname: host, port, pathname } = new URL(url)
  const name = host.replace(/^\[|\]$/g, '')
  if (protocol === 'udp:') return overUdp(name, Number(port || 514), message, onDrop)
  const target =
    protocol === 'unix:' ? { path: pathname } : { host: name, port: Number(port || 601) }
  return overStream(() => connect(target), message)
}

function overUdp(
  host: string,
  port: number,
  message: (line: Buffer) => Buffer,
  onDrop: (reason: string) => void,
): Writable {
  let socket: UdpSocket | undefined
  return new Writable({
    write(line: Buffer, _encoding, done) {
      // Whoever waits for the end writes nothing at all.
      if (line.length === 0) return done()
      if (!socket) {
        socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').on('error', () => {})
        socket.unref()
      }
      socket.send(message(line).subarray(0, maxDatagram), port, host, (error) => {
        if (error) onDrop((error as NodeJS.ErrnoException).code ?? 'error')
        done()
      })
    },
    destroy(error, done) {
      socket?.close()
      done(error)
    },
  })
}

function overStream(open: () => Socket, message: (line: Buffer) => Buffer): Writable {
  let socket: Socket | undefined
  let pause = firstPauseMs
  let timer: NodeJS.Timeout | undefined

  /** Resolves with a socket that is connected, however long that takes. */
  function connected(): Promise<Socket> {
    if (socket?.writable) return Promise.resolve(socket)
    return new Promise((resolve) => {
      const made = open()
      made.on('error', () => {}).unref()
      made.once('connect', () => {
        pause = firstPauseMs
        socket = made
        resolve(made)
      })
      // A server that closes the connection is told of nothing more: the next line makes another.
      made.once('close', () => {
        const failed = socket !== made
        if (!failed) socket = undefined
        else {
          timer = setTimeout(() => void connected().then(resolve), pause).unref()
          pause = Math.min(longestPauseMs, pause * 2)
        }
      })
      made.resume()
    })
  }

  async function send(lines: readonly Buffer[], done: () => void): Promise<void> {
    // Octet counting (RFC 6587): lines may hold anything.
    const framed = lines.flatMap((line) => {
      if (line.length === 0) return []
      const bytes = message(line)
      return [Buffer.from(`${bytes.length} `), bytes]
    })
    const bytes = Buffer.concat(framed)
    if (bytes.length === 0) return done()
    const to = await connected()
    to.write(bytes, (error) => {
      if (error) void send(lines, done)
      else done()
    })
  }

  return new Writable({
    write: (line: Buffer, _encoding, done) => void send([line], done),
    writev: (lines, done) =>
      void send(
        lines.map(({ chunk }) => chunk as Buffer),
        done,
      ),
    destroy(error, done) {
      clearTimeout(timer)
      socket?.destroy()
      done(error)
    },
  })
}

const severities: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 }

/** `<PRI>1 TIME HOST APP PID MSGID - MSG`; the line has its level in its JSON. */
function rfc5424(line: Buffer, facility: number, app: string): Buffer {
  const head = line.toString('latin1', 0, 200)
  const [, level = 'info'] = /"level":"(\w+)"/.exec(head) ?? []
  const id = /"record_type":"/.test(head) ? 'record' : 'log'
  const priority = facility * 8 + (severities[level] ?? 6)
  const prefix = `<${priority}>1 ${new Date().toISOString()} ${hostname() || '-'} ${app} ${process.pid} ${id} - `
  const end = line.at(-1) === 0x0a ? line.length - 1 : line.length
  return Buffer.concat([Buffer.from(prefix), line.subarray(0, end)])
}
