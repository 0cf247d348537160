import type { IncomingMessage } from 'node:http'
import type Koa from 'koa'
import type { Diagnostics } from '../core/diagnostics.ts'
import type { Config } from './config.ts'
import { isLoopback } from './loopback.ts'
import { setOwnHeaders } from './own-headers.ts'
import { refuse } from './refusal.ts'

export interface GuardOptions {
  /** The present one. */
  readonly config: () => Pick<Config, 'auth' | 'corsOrigins' | 'providers'>
  readonly diagnostics: Diagnostics
}

/**
 * Keeps web pages out where a browser is let in without a token: while there is no login a browser on this machine
 * reaches us, and a proxy that logs in knows it by a cookie, whoever wrote the page.
 */
export function guard({ config, diagnostics }: GuardOptions): Koa.Middleware {
  return async (ctx, next) => {
    const { auth, providers, corsOrigins } = config()
    const found =
      auth === 'none'
        ? (hostFault(ctx.req) ?? originFault(ctx.req, corsOrigins))
        : auth === 'header'
          ? originFault(ctx.req, [...corsOrigins, outerOrigin(ctx.req)])
          : null
    if (found === null) return next()
    diagnostics.count('refused', { reason: found })
    setOwnHeaders(ctx)
    refuse(ctx, providers, { status: 403, message: messages[found] })
  }
}

type Fault = 'host' | 'origin'

const messages: Readonly<Record<Fault, string>> = {
  host: 'Sluice runs without login and answers only to localhost or a loopback address as Host.',
  origin:
    'Sluice takes no requests from web pages of other origins, since their users need no token of its own; cors-origins lists exceptions.',
}

type Headers = IncomingMessage['headers']

function hostFault({ headers }: IncomingMessage): Fault | null {
  // A name that its owner points at 127.0.0.1 (DNS rebinding) makes a page "same origin" with us.
  return isLoopback((headers.host?.toLowerCase() ?? '').replace(/:\d*$/, '')) ? null : 'host'
}

function originFault(
  { headers, socket }: IncomingMessage,
  allowed: readonly string[],
): Fault | null {
  const { origin } = headers
  if (origin === undefined) return isForeignFetch(headers) ? 'origin' : null
  const own = `${'encrypted' in socket ? 'https' : 'http'}://${headers.host}`
  const fine = [own, ...allowed].some((each) => each.toLowerCase() === origin.toLowerCase())
  return fine ? null : 'origin'
}

/** What browsers call us who stand before a proxy: no page of another origin can say these headers. */
function outerOrigin({ headers }: IncomingMessage): string {
  const { 'x-forwarded-proto': proto = 'https', 'x-forwarded-host': host } = headers
  return `${proto}://${host ?? headers.host}`
}

/** GETs of a page's scripts and images carry no `Origin`, but browsers say where they come from. */
function isForeignFetch(headers: Headers): boolean {
  const site = headers['sec-fetch-site']
  const foreign = site === 'cross-site' || site === 'same-site'
  return foreign && headers['sec-fetch-mode'] !== 'navigate'
}
