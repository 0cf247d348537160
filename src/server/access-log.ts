import type { Middleware } from 'koa'
import type { Log } from '../core/diagnostics.ts'
import type { Caller } from './identity/caller.ts'
import { requestId } from './own-headers.ts'

/** A line for each request that is no provider's: changes at level info, the rest at debug. Without its query. */
export function accessLog(log: Log): Middleware {
  return async (ctx, next) => {
    const begin = performance.now()
    try {
      await next()
    } finally {
      const { method, path, status } = ctx
      const caller = ctx.state.caller as Caller | undefined
      log(/^(GET|HEAD|OPTIONS)$/.test(method) ? 'debug' : 'info', `${method} ${path} ${status}`, {
        request_id: requestId(ctx),
        duration_ms: Math.round(performance.now() - begin),
        ...(caller && { user: caller.username }),
      })
    }
  }
}
