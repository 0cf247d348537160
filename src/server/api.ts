import Router from '@koa/router'
import type { Context } from 'koa'
import type { Log } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import type { Recorder, StoredInterception } from '../core/recorder.ts'
import { interceptionDetail, interceptionShape } from './api-shapes.ts'
import { canReadAll } from './identity/caller.ts'
import type { Identify } from './identity/identity.ts'
import { callerOf, knowCaller } from './identity/rest-caller.ts'
import { readListQuery } from './list-query.ts'

export interface ApiOptions {
  readonly recorder: Recorder
  /** Such as `/api/v2/aibridge`. */
  readonly prefix: string
  /** Who asks; what it throws is answered with 401, 403, 429 or 503. */
  readonly authorize: Identify
  readonly log: Log
}

/** The REST API over what is recorded. */
export function api({ recorder, prefix, authorize, log }: ApiOptions): Router {
  const router = new Router({ prefix })

  router.use(knowCaller(authorize), async (ctx, next) => {
    ctx.set('cache-control', 'no-store')
    await next()
  })

  router.get('/interceptions', async (ctx) => {
    const caller = callerOf(ctx)
    const read = readListQuery(ctx.query, caller.id)
    if ('error' in read) return answer(ctx, 400, read.error)
    const { initiator } = read.query
    const all = canReadAll(caller.role)
    const own = [undefined, caller.id, caller.username].includes(initiator)
    // Members who ask for others' get what there is for them: nothing.
    if (!all && !own) return answer(ctx, 200, { count: 0, results: [] })
    const narrowed = all ? {} : { initiator: caller.id, visibleTo: caller.id }
    const page = await stored(ctx, () => recorder.interceptions({ ...read.query, ...narrowed }))
    const seen = page?.results.filter((each) => isVisible(ctx, each)) ?? []
    if (page) ctx.body = { count: page.count, results: seen.map(interceptionShape) }
  })

  router.get('/interceptions/:id', async (ctx) => {
    const found = await stored(ctx, () => recorder.interception(ctx.params.id ?? ''))
    if (found && isVisible(ctx, found)) ctx.body = interceptionDetail(found)
    // Nobody learns by guessing whether there is one.
    else if (found !== undefined) answer(ctx, 404, { message: 'Interception not found.' })
  })

  /** What the store says; undefined where it failed, and that is answered. */
  async function stored<T>(ctx: Context, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      log('error', 'the store could not be read', { path: ctx.path, error })
      answer(ctx, 500, {
        message: 'Internal error getting AI Bridge interceptions.',
        detail: messageOf(error),
      })
      return undefined
    }
  }

  return router
}

function isVisible(ctx: Context, { start }: StoredInterception): boolean {
  const { role, id } = callerOf(ctx)
  return canReadAll(role) || start.initiatorId === id
}

function answer(ctx: Context, status: number, body: object): void {
  ctx.status = status
  ctx.body = body
}
