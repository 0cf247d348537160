import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { SluiceError } from '../core/errors.ts'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** Certificate chain and key in PEM: then it is https. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  readonly onRequest: RequestListener
  /** True where it took the socket. */
  readonly onUpgrade: (request: Parameters<RequestListener>[0], socket: Duplex) => boolean
}

/** Listens. A port that is taken, or not ours to take, is one clear error. */
export async function listen({
  host,
  port,
  tls,
  onRequest,
  onUpgrade,
}: ListenOptions): Promise<{ readonly server: Server; readonly url: string }> {
  const options: ServerOptions = {
    // Clients pool their connections; Node's 5 s would reset some of them in their hands.
    keepAliveTimeout: 75_000,
    // Node's 16 KiB are less than providers take: cookies and tokens of other gateways come along.
    maxHeaderSize: 64 * 1024,
    // Node's 5 minutes would cut the upload of a large file off.
    requestTimeout: 60 * 60_000,
    // A `h2c` offer on a POST (Java's client makes it) may be ignored, and is then an ordinary request.
    shouldUpgradeCallback: ({ headers }) => /\bwebsocket\b/i.test(headers.upgrade ?? ''),
  }
  const server = tls
    ? createTlsServer({ ...options, ...tls }, onRequest)
    : createServer(options, onRequest)
  // Past 1000 Node leaves headers out and says nothing.
  server.maxHeadersCount = 0
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => socket.destroy())
    if (onUpgrade(request, socket)) return
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
  const { port: taken } = server.address() as AddressInfo
  return {
    server,
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${taken}`,
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): SluiceError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'is in use: stop what listens there, or choose another one with --port',
    EACCES: 'may not be used by this user: choose one above 1023 with --port',
    EADDRNOTAVAIL: 'cannot be used: this machine has no such address',
    ENOTFOUND: 'cannot be used: the name is not known',
  }
  const reason = reasons[error.code ?? ''] ?? `cannot be used: ${error.message}`
  return new SluiceError(`port ${port} on ${host} ${reason}`, { code: 'ERR_LISTEN', cause: error })
}
