import { z } from 'zod'
import { matching } from '../../plugins/memory/matching.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { interceptionFilter, visibleTo } from './filters.ts'
import { LiveReader } from './live-reader.ts'
import { interceptionFilters, q } from './parameters.ts'

const { include: _running, ...filters } = interceptionFilters

export const streamInterceptions: Endpoint = endpoint({
  path: '/stream',
  id: 'streamInterceptions',
  summary:
    'Interceptions as they end, as server-sent events; `Last-Event-ID` goes on where an earlier reader was.',
  failure: 'Internal error streaming AI Bridge interceptions.',
  parameters: z.strictObject({ q, ...filters }),
  search: { message: 'Invalid workspace search query.', bare: 'initiator' },
  answers: {
    200: {
      description:
        'Events `interception` (data as in the list), `gap` where some are no longer stored, `end` with the reason.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
  },
  async handle(query, { ctx, caller, store, live }) {
    ctx.set('content-type', 'text/event-stream; charset=utf-8')
    // For proxies such as nginx, which would wait for more.
    ctx.set('x-accel-buffering', 'no')
    ctx.status = 200
    if (ctx.method === 'HEAD') return
    const reader = new LiveReader({
      live,
      store,
      response: ctx.res,
      after: ctx.get('last-event-id') || undefined,
      ...visibleTo(caller),
      wants: matching({ ...interceptionFilter(query, caller), running: true }),
    })
    ctx.respond = false
    try {
      await reader.read()
    } catch (error) {
      ctx.respond = true
      throw error
    }
  },
})
