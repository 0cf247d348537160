import type { IncomingMessage } from 'node:http'
import type Koa from 'koa'
import type { Diagnostics } from '../core/diagnostics.ts'
import type { Provider } from '../core/provider.ts'
import { isLoopback } from './loopback.ts'
import { refuse } from './refusal.ts'

export interface GuardOptions {
  readonly providers: readonly Provider[]
  readonly diagnostics: Diagnostics
}

/** Keeps web pages out while there is no login: a browser on this machine reaches us, whoever wrote the page. */
export function guard({ providers, diagnostics }: GuardOptions): Koa.Middleware {
  return async (ctx, next) => {
    const fault = faultOf(ctx.req)
    if (fault === null) return next()
    diagnostics.count('refused', { reason: fault })
    refuse(ctx, providers, messages[fault])
  }
}

type Fault = 'host' | 'origin'

const messages: Readonly<Record<Fault, string>> = {
  host: 'Sluice runs without login and answers only to localhost or a loopback address as Host.',
  origin: 'Sluice runs without login and takes no requests from web pages of other origins.',
}

function faultOf({ headers }: Pick<IncomingMessage, 'headers'>): Fault | null {
  const host = headers.host?.toLowerCase() ?? ''
  // A name that its owner points at 127.0.0.1 (DNS rebinding) makes a page "same origin" with us.
  if (!isLoopback(host.replace(/:\d*$/, ''))) return 'host'
  const { origin } = headers
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`) return 'origin'
  return origin === undefined && isForeignFetch(headers) ? 'origin' : null
}

/** GETs of a page's scripts and images carry no `Origin`, but browsers say where they come from. */
function isForeignFetch(headers: IncomingMessage['headers']): boolean {
  const site = headers['sec-fetch-site']
  const foreign = site === 'cross-site' || site === 'same-site'
  return foreign && headers['sec-fetch-mode'] !== 'navigate'
}
