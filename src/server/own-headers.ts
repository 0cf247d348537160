import { randomUUID } from 'node:crypto'
import type { Context, Middleware } from 'koa'

/** For REST, pages and errors of ours: a browser may take them for nothing else. Never for a provider's reply. */
export function setOwnHeaders(ctx: Context): void {
  for (const [name, value] of headers) ctx.set(name, value)
  ctx.set('x-request-id', requestId(ctx))
}

export const ownHeaders: Middleware = (ctx, next) => {
  setOwnHeaders(ctx)
  return next()
}

/** The caller's own id where it is fit to be logged, else a new one; the same for the whole request. */
export function requestId(ctx: Context): string {
  ctx.state.requestId ??= /^[\w.:-]{1,64}$/.test(ctx.get('x-request-id'))
    ? ctx.get('x-request-id')
    : randomUUID()
  return ctx.state.requestId as string
}

const headers = [
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
] as const
