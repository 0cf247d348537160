import koaCors from '@koa/cors'
import type { Middleware } from 'koa'

/** Lets web pages of these origins, and of no others, use what comes behind it. */
export function cors(origins: readonly string[]): Middleware {
  const known = new Set(origins.map((origin) => origin.toLowerCase()))
  if (known.size === 0) return (_ctx, next) => next()
  const allow = koaCors({
    origin: (ctx) => (known.has(ctx.get('origin').toLowerCase()) ? ctx.get('origin') : ''),
    allowMethods: 'GET,HEAD,POST,PUT,DELETE',
    exposeHeaders: 'x-request-id,retry-after',
    maxAge: 600,
  })
  return async (ctx, next) => {
    if (known.has(ctx.get('origin').toLowerCase()))
      ctx.set('cross-origin-resource-policy', 'cross-origin')
    await allow(ctx, next)
  }
}
