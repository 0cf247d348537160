import type { Context, Middleware } from 'koa'
import { SluiceError } from '../../core/errors.ts'
import { type Caller, type Role, roles } from './caller.ts'
import type { Identify } from './identity.ts'
import { loginCodes } from './refusals.ts'

/** For REST routes: puts who asks into `ctx.state.caller`, or answers 401, 403, 429 or 503. */
export function knowCaller(identify: Identify): Middleware {
  return async (ctx, next) => {
    try {
      ctx.state.caller = await identify(ctx)
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      return answerFault(ctx, error)
    }
    await next()
  }
}

/** Behind `knowCaller`: those of a lesser role get a 403. */
export function atLeast(role: Role): Middleware {
  return async (ctx, next) => {
    if (roles.indexOf(callerOf(ctx).role) >= roles.indexOf(role)) return next()
    ctx.status = 403
    ctx.body = {
      message: `Only ${role === 'owner' ? 'an owner' : 'an auditor or an owner'} may do this.`,
    }
  }
}

/** Who asks, behind `knowCaller`. */
export function callerOf(ctx: Context): Caller {
  return ctx.state.caller as Caller
}

/** A fault as the REST API tells it. */
export function answerFault(
  ctx: Context,
  { code, status, message, retryAfter }: SluiceError,
): void {
  const login = loginCodes.has(code)
  ctx.status = login ? 401 : status
  if (login) ctx.set('www-authenticate', 'Bearer realm="sluice"')
  if (retryAfter !== undefined) ctx.set('retry-after', String(retryAfter))
  ctx.body = { message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.` }
}
