import Router from '@koa/router'
import type { Context } from 'koa'
import type { Log } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import type { Initiator } from '../core/interception.ts'
import type { Recorder } from '../core/recorder.ts'
import { interceptionDetail, interceptionShape } from './api-shapes.ts'
import { readListQuery } from './list-query.ts'

export interface ApiOptions {
  readonly recorder: Recorder
  /** Such as `/api/v2/aibridge`. */
  readonly prefix: string
  /** Who asks; undefined is refused. */
  readonly authorize: (ctx: Context) => Initiator | undefined
  readonly log: Log
}

/** The REST API over what is recorded. */
export function api({ recorder, prefix, authorize, log }: ApiOptions): Router {
  const router = new Router({ prefix })

  router.use(async (ctx, next) => {
    const caller = authorize(ctx)
    if (!caller) return answer(ctx, 403, { message: 'Nobody can be told from X-Sluice-User.' })
    ctx.state.caller = caller
    ctx.set('cache-control', 'no-store')
    ctx.set('x-content-type-options', 'nosniff')
    await next()
  })

  router.get('/interceptions', async (ctx) => {
    const read = readListQuery(ctx.query, (ctx.state.caller as Initiator).id)
    if ('error' in read) return answer(ctx, 400, read.error)
    const page = await stored(ctx, () => recorder.interceptions(read.query))
    if (page) ctx.body = { count: page.count, results: page.results.map(interceptionShape) }
  })

  router.get('/interceptions/:id', async (ctx) => {
    const found = await stored(ctx, () => recorder.interception(ctx.params.id ?? ''))
    if (found) ctx.body = interceptionDetail(found)
    else if (found === null) answer(ctx, 404, { message: 'Interception not found.' })
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

function answer(ctx: Context, status: number, body: object): void {
  ctx.status = status
  ctx.body = body
}
