import type { Socket } from 'node:net'
import type { Context, Middleware } from 'koa'
import type { Log } from '../../core/diagnostics.ts'
import type { Caller } from '../identity/caller.ts'

export interface CutStalledOptions {
  /** How long a client may take nothing of what waits for it, in ms. */
  readonly clientIdleTimeout: () => number
  readonly log: Log
}

/** Breaks a reply off that nobody reads: what is still to be read and sent would be held for it for ever. */
export function cutStalled({ clientIdleTimeout, log }: CutStalledOptions): Middleware {
  return (ctx, next) => {
    const { res: response } = ctx
    const ms = clientIdleTimeout()
    // The socket's own clock, which begins anew with whatever the system takes of it.
    response.setTimeout(ms, () => {
      const { socket } = response
      // Nothing waits for the client: it is we who are slow.
      if (!socket || response.writableLength === 0) return void response.setTimeout(ms)
      log(
        'info',
        `${ctx.method} ${ctx.path}: cut off, since its client took nothing for ${ms} ms`,
        {
          ...(ctx.state.caller && { user: (ctx.state.caller as Caller).username }),
        },
      )
      drop(socket)
    })
    giveBack(ctx, ms)
    return next()
  }
}

/** Where the host keeps no clock of its own for connections at rest, the next request would be under ours. */
function giveBack({ res: response, socket }: Context, ms: number): void {
  response.once('close', () => {
    if (!socket.destroyed && socket.timeout === ms) socket.setTimeout(0)
  })
}

/** A close would leave what was written to the system, which goes on offering it; TLS and Unix sockets know no reset. */
function drop(socket: Socket): void {
  if (socket.remoteAddress === undefined || 'encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
