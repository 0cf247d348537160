import { z } from 'zod'
import type { StoreFilter } from '../../core/recorder.ts'
import type { Store } from '../../core/store.ts'
import { canReadAll } from '../identity/caller.ts'
import { answerPieces } from './answer-pieces.ts'
import {
  type ApiRequest,
  answer,
  apiError,
  type Endpoint,
  endpoint,
  json,
  orBadCursor,
} from './endpoint.ts'
import type { ApiError } from './fault.ts'
import { given, storeFilter, visibleTo } from './filters.ts'
import { counted } from './interception-schema.ts'
import { limitFault } from './interceptions.ts'
import { jsonPieces } from './json-pieces.ts'
import { limit, offset, q, sessionId, storeFilters, text, threadLimit, uuid } from './parameters.ts'
import { session, sessionDetail } from './session-schema.ts'
import { sessionDetailParts, sessionShape } from './session-shape.ts'

export const listSessions: Endpoint = endpoint({
  path: '/sessions',
  id: 'listSessions',
  summary: 'Conversations of clients, the last active first.',
  failure: 'Internal error getting AI Gateway sessions.',
  parameters: z.strictObject({
    q,
    ...storeFilters,
    session_id: sessionId,
    sort: z
      .enum(['active', 'started', 'oldest'], { error: 'must be active, started or oldest' })
      .optional()
      .meta({ override: { default: 'active' } }),
    limit: limit(100, 1000, limitFault),
    offset,
    after_session_id: text.optional().meta({
      description: 'The last one of the page before: what comes in between shifts nothing.',
    }),
    after_initiator_id: text
      .optional()
      .meta({ description: 'Whose that one is, where several users have one of that id.' }),
  }),
  search: { message: 'Invalid session search query.' },
  exclusive: ['after_session_id', 'offset'],
  answers: {
    200: {
      ...json('A page.', z.object({ ...counted, sessions: z.array(session) })),
      links: {
        detail: {
          operationId: 'showSession',
          parameters: { session_id: '$response.body#/sessions/0/id' },
        },
      },
    },
  },
  async handle(query, request) {
    const { ctx, caller, store } = request
    const { limit, offset, sort, after_session_id: after } = query
    const filter = storeFilter(query, caller)
    const owner = query.after_initiator_id ?? (await ownerOf(after, filter, store))
    const page = await orBadCursor(
      ctx,
      () =>
        store.sessions({
          ...filter,
          ...given({ sessionId: query.session_id, sort, after, afterInitiatorId: owner }),
          limit,
          offset,
        }),
      () => badSession(after, owner, request),
    )
    if (!page) return
    const sessions = page.sessions.map(sessionShape)
    const isGuess = page.countExact === false
    const head = { count: page.count, ...(isGuess && { count_exact: false }) }
    await answerPieces(ctx, jsonPieces({ ...head, sessions }))
  },
})

/** Whose session the cursor is, where one user's are listed: others may have one of that id. */
async function ownerOf(
  id: string | undefined,
  { initiator, visibleTo }: StoreFilter,
  store: Store,
): Promise<string | undefined> {
  if (id === undefined || initiator === undefined) return undefined
  const found = await store.session({ id, initiator, limit: 1, ...given({ visibleTo }) })
  return found?.type === 'session' ? found.session.initiatorId : undefined
}

async function badSession(
  id = '',
  owner: string | undefined,
  { store, caller }: ApiRequest,
): Promise<ApiError> {
  const message = 'Query parameter has invalid value.'
  const found =
    owner === undefined ? await store.session({ ...visibleTo(caller), id, limit: 1 }) : null
  return found?.type === 'ambiguous'
    ? {
        message,
        detail: `after_session_id: several users have a session "${id}": say whose it is with after_initiator_id`,
      }
    : { message, detail: `after_session_id: session "${id}" not found` }
}

const both = 'Cannot use both after_id and before_id in the same request.'

export const showSession: Endpoint = endpoint({
  path: '/sessions/{session_id}',
  id: 'showSession',
  summary: 'One conversation with a page of its threads.',
  failure: 'Internal error fetching session.',
  parameters: z.strictObject({
    after_id: uuid('A thread: those after it.', { message: 'Invalid after_id query parameter.' }),
    before_id: uuid('A thread: those before it.', {
      message: 'Invalid before_id query parameter.',
    }),
    limit: threadLimit(50, 200, {
      message: 'Invalid limit query parameter.',
      detail: 'Limit must be between 1 and 200.',
    }),
    initiator: storeFilters.initiator,
  }),
  exclusive: ['after_id', 'before_id'],
  both: { message: both },
  answers: {
    200: json('It.', sessionDetail),
    404: json('There is none, or it is another user’s.', apiError),
    409: json(
      'Several users have a session of this id: `initiator` says whose is meant.',
      z.object({
        message: z.string(),
        initiators: z.array(z.object({ id: z.string(), username: z.string() })),
      }),
    ),
  },
  async handle({ after_id: after, before_id: before, limit, initiator }, request) {
    const { ctx, caller, store } = request
    const id = ctx.params.session_id ?? ''
    const found = await orBadCursor(
      ctx,
      async () =>
        (await store.session({
          ...visibleTo(caller),
          ...given({ after, before, initiator: initiator === 'me' ? caller.id : initiator }),
          id,
          limit,
        })) ?? 'none',
      () => badThread(id, after === undefined ? 'before_id' : 'after_id', after ?? before, request),
    )
    if (found === 'none') answer(ctx, 404, { message: 'Session not found.' })
    else if (found?.type === 'session')
      await answerPieces(ctx, jsonPieces(sessionDetailParts(found.session, found.threads)))
    else if (found)
      answer(ctx, 409, {
        message: 'Several users have a session of this id: say whose you mean with initiator.',
        initiators: found.initiators,
      })
  },
})

async function badThread(
  sessionId: string,
  name: string,
  id = '',
  { store, caller }: ApiRequest,
): Promise<ApiError> {
  const thread = await store.interception(id)
  const isSeen = thread && (canReadAll(caller.role) || thread.start.initiatorId === caller.id)
  const elsewhere = isSeen && thread.start.sessionId !== sessionId
  const fault = elsewhere ? `does not belong to session "${sessionId}"` : 'not found'
  return { message: 'Invalid pagination cursor.', detail: `${name}: thread "${id}" ${fault}` }
}
