import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Breaks a reply off so that the client sees a cut, never a clean end; what was written before it still goes out. */
export function cutReply(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = response
  // To a client of HTTP/1.0 the end of the connection is the end of the body: only a reset looks cut.
  if (request.httpVersion === '1.0' && isTcp(socket)) socket.resetAndDestroy()
  // One that was ended is cut because nobody takes it: to wait for that again would be for ever.
  else if (socket && !response.writableNeedDrain && !response.writableEnded) socket.destroySoon()
  else {
    // Behind another reply on its connection (pipelining) it has no socket yet.
    if (!socket) response.once('socket', (later: Socket) => later.destroy())
    response.destroy()
  }
}

/** Unix sockets and TLS know no reset: Node throws. */
function isTcp(socket: Socket | null): socket is Socket {
  return socket?.remoteAddress !== undefined && !('encrypted' in socket)
}
