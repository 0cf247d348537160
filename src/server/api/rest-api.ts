import Router from '@koa/router'
import type { Context } from 'koa'
import type { Log } from '../../core/diagnostics.ts'
import { messageOf, SluiceError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import { canReadAll } from '../identity/caller.ts'
import type { Identify } from '../identity/identity.ts'
import { callerOf, knowCaller } from '../identity/rest-caller.ts'
import { checkNames } from './check-names.ts'
import { cutStalled } from './cut-stalled.ts'
import { answer, type Endpoint } from './endpoint.ts'
import { endpoints } from './endpoints.ts'
import type { LiveFeed } from './live-feed.ts'
import { readQuery } from './read-query.ts'

export interface RestApiOptions {
  readonly store: Store
  readonly live: LiveFeed
  /** Such as `/api/v2/aibridge`. */
  readonly prefix: string
  /** Who asks; what it throws is answered with 401, 403, 429 or 503. */
  readonly authorize: Identify
  readonly log: Log
  /** How long a client may take nothing, in ms. */
  readonly clientIdleTimeout: () => number
  /** The providers that are configured. */
  readonly providerNames: () => readonly string[]
  /** Whether there is a user of this name or id, also without records. @default nobody is known */
  readonly hasUser?: (name: string) => Promise<boolean>
}

/** The REST API over what is recorded. */
export function restApi({
  store,
  live,
  prefix,
  authorize,
  log,
  clientIdleTimeout,
  providerNames,
  hasUser = async () => false,
}: RestApiOptions): Router {
  const router = new Router({ prefix })
  const known = knowCaller(authorize)
  const timed = cutStalled({ clientIdleTimeout, log })
  for (const endpoint of endpoints) {
    router.get(endpoint.path.replace(/\{(\w+)\}/g, ':$1'), timed, known, async (ctx) => {
      ctx.set('cache-control', 'no-store')
      try {
        await serve(endpoint, ctx)
      } catch (error) {
        if (ctx.headerSent) throw error
        tellFault(endpoint, ctx, error)
      }
    })
  }

  async function serve(endpoint: Endpoint, ctx: Context): Promise<void> {
    const caller = callerOf(ctx)
    const read = await readQuery(endpoint, ctx.query, (given) =>
      checkNames(given, caller, { store, providerNames, hasUser }),
    )
    if ('error' in read) return answer(ctx, 400, read.error)
    await endpoint.handle(read.query, { ctx, caller, store, live })
  }

  function tellFault({ failure }: Endpoint, ctx: Context, error: unknown): void {
    log('error', 'the store could not be read', { path: ctx.path, error })
    // What they say names hosts and files.
    const detail = canReadAll(callerOf(ctx).role) ? messageOf(error) : 'The log says why.'
    ctx.remove('content-disposition')
    ctx.remove('content-type')
    if (!isAway(error)) return answer(ctx, 500, { message: failure, detail })
    ctx.set('retry-after', String(error.retryAfter ?? 2))
    answer(ctx, 503, { message: 'The store is away: try again soon.', detail })
  }

  return router
}

function isAway(error: unknown): error is SluiceError {
  if (!(error instanceof SluiceError)) return false
  return error.status === 503 || ['ERR_STORE_AWAY', 'ERR_STORE_LOCKED'].includes(error.code)
}
