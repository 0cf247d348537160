import { z } from 'zod'
import type { InterceptionPage } from '../../core/recorder.ts'
import { canReadAll } from '../identity/caller.ts'
import { interceptionPages } from '../interception-pages.ts'
import { answerPieces } from './answer-pieces.ts'
import { answer, apiError, type Endpoint, endpoint, json, orBadCursor } from './endpoint.ts'
import { interceptionFilter } from './filters.ts'
import { counted, interceptionDetail as detail, interception } from './interception-schema.ts'
import { interceptionDetail, interceptionShape } from './interception-shape.ts'
import { jsonListPieces, jsonPieces } from './json-pieces.ts'
import { interceptionFilters, limit, offset, q, uuid } from './parameters.ts'

export const limitFault = {
  message: 'Invalid pagination limit value.',
  detail: 'Pagination limit must be in range (0, 1000]',
}

const failure = 'Internal error getting AI Bridge interceptions.'

export const listInterceptions: Endpoint = endpoint({
  path: '/interceptions',
  id: 'listInterceptions',
  summary: 'What was asked, the newest first.',
  failure,
  parameters: z.strictObject({
    q,
    ...interceptionFilters,
    sort: z
      .enum(['newest', 'oldest'], { error: 'must be newest or oldest' })
      .optional()
      .meta({ description: 'By the time of the start.', override: { default: 'newest' } }),
    limit: limit(100, 1000, limitFault),
    offset,
    after_id: uuid('The last one of the page before: what comes in between shifts nothing.'),
  }),
  // The reference says so.
  search: { message: 'Invalid workspace search query.', bare: 'initiator' },
  exclusive: ['after_id', 'offset'],
  answers: {
    200: {
      ...json('A page.', z.object({ ...counted, results: z.array(interception) })),
      links: {
        detail: {
          operationId: 'showInterception',
          parameters: { id: '$response.body#/results/0/id' },
        },
      },
    },
  },
  async handle(query, { ctx, caller, store }) {
    const { limit, offset, after_id: after, sort } = query
    const pages = interceptionPages(store, {
      ...interceptionFilter(query, caller),
      limit,
      offset,
      ...(after !== undefined && { after }),
      ...(sort && { sort }),
    })
    const first = await orBadCursor(
      ctx,
      () => pages.next(),
      () => ({
        message: 'Invalid pagination cursor.',
        detail: `after_id: interception "${after}" not found`,
      }),
    )
    if (!first?.value) return
    const { count, countExact } = first.value
    const head = { count, ...(countExact === false && { count_exact: false }) }
    await answerPieces(ctx, jsonListPieces(head, 'results', shapesOf(first.value, pages)))
  },
})

async function* shapesOf(first: InterceptionPage, rest: AsyncIterable<InterceptionPage>) {
  for (const each of first.results) yield interceptionShape(each)
  for await (const { results } of rest) for (const each of results) yield interceptionShape(each)
}

export const showInterception: Endpoint = endpoint({
  path: '/interceptions/{id}',
  id: 'showInterception',
  summary: 'One request and its reply, with all that was recorded of it.',
  failure,
  parameters: z.strictObject({}),
  answers: {
    200: json('It.', detail),
    404: json('There is none, or it is another user’s.', apiError),
  },
  async handle(_query, { ctx, caller, store }) {
    const found = await store.interception((ctx.params.id ?? '').toLowerCase())
    // Nobody learns by guessing whether there is one.
    if (found && (canReadAll(caller.role) || found.start.initiatorId === caller.id))
      await answerPieces(ctx, jsonPieces(interceptionDetail(found)))
    else answer(ctx, 404, { message: 'Interception not found.' })
  },
})
