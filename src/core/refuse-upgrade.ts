import type { Duplex } from 'node:stream'
import { errorTypeOf } from './error-type.ts'
import { errorFormat } from './own-reply.ts'
import { matchRoute } from './routes.ts'
import type { Target } from './target.ts'

/** What clients are told that ask for a websocket. */
export const noUpgrade = 'this route takes plain HTTP POST requests, no upgrade'

/** The 426 in the route's own error shape, where an `upgrade` listener has the bare socket and Koa never sees it. */
export function refuseUpgrade(socket: Duplex, { provider, path }: Target): void {
  const route = matchRoute(provider, path)
  const format = route?.kind === 'intercepted' ? route.format : errorFormat(provider)
  const status = 426
  const body = JSON.stringify(
    format.errorBody({ status, errorType: errorTypeOf(status), message: noUpgrade }),
  )
  const head = [
    'HTTP/1.1 426 Upgrade Required',
    'connection: close',
    'upgrade: HTTP/1.1',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
