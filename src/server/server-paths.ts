import { z } from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi'
import { createdToken, me, newToken, newUser, roleChange, token, user } from './account-schemas.ts'
import { apiError, json } from './api/endpoint.ts'
import { refusals } from './api/open-api.ts'

const users = '/api/v2/users'
const username = { path: z.object({ username: z.string() }) }
const tokens = z.object({ count: z.int().nonnegative(), tokens: z.array(token) })
const gone = { description: 'Done.' }
const onlyOwner = json('It is the only owner.', apiError)
const none = json('There is no such user.', apiError)

/** What the gateway serves beside providers' routes and the API over what is recorded. */
export const serverPaths: ZodOpenApiPathsObject = {
  [`${users}/me`]: { get: of('showMe', 'Who you are.', { 200: json('You.', me) }) },
  [users]: {
    get: of('listUsers', 'All users.', {
      200: json('They.', z.object({ count: z.int().nonnegative(), users: z.array(user) })),
    }),
    post: of(
      'addUser',
      'Adds a user.',
      { 201: json('It.', user), 409: json('The name is taken.', apiError) },
      newUser,
    ),
  },
  [`${users}/{username}`]: {
    put: {
      ...of(
        'setRole',
        'Gives a user another role.',
        { 200: json('It.', user), 404: none, 409: onlyOwner },
        roleChange,
      ),
      requestParams: username,
    },
    delete: {
      ...of('removeUser', 'Removes a user and all its tokens.', {
        204: gone,
        404: none,
        409: onlyOwner,
      }),
      requestParams: username,
    },
  },
  [`${users}/{username}/tokens`]: {
    get: {
      ...of('listTokensOfUser', 'A user’s tokens.', { 200: json('They.', tokens), 404: none }),
      requestParams: username,
    },
    post: {
      ...of(
        'createToken',
        'Makes a token; it is told this once.',
        { 201: json('It.', createdToken), 404: none },
        newToken,
      ),
      requestParams: username,
    },
  },
  '/api/v2/tokens': {
    get: of('listTokens', 'All users’ tokens.', { 200: json('They.', tokens) }),
  },
  '/api/v2/tokens/{id}': {
    delete: {
      ...of('revokeToken', 'Revokes a token.', {
        204: gone,
        404: json('There is no such token.', apiError),
      }),
      requestParams: { path: z.object({ id: z.string() }) },
    },
  },
  '/healthz': { get: open('isAlive', 'Whether the process lives.', { 200: health() }) },
  '/readyz': {
    get: open('isReady', 'Whether it takes requests, and what is wrong.', {
      200: health(),
      503: health(),
    }),
  },
  '/metrics': {
    get: {
      ...of('showMetrics', 'Figures for Prometheus.', {
        200: { description: 'Text.', content: { 'text/plain': { schema: { type: 'string' } } } },
      }),
      tags: ['Operation'],
    },
  },
}

type Responses = ZodOpenApiOperationObject['responses']

function of(
  operationId: string,
  summary: string,
  responses: Responses,
  body?: z.ZodType,
): ZodOpenApiOperationObject {
  return {
    operationId,
    summary,
    tags: ['Users'],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: body } } },
    }),
    responses: {
      ...responses,
      ...(body && { 400: json('A body with bad values: all that is wrong.', apiError) }),
      ...refusals,
      500: json('The store failed.', apiError),
    },
  }
}

function open(operationId: string, summary: string, responses: Responses) {
  return {
    operationId,
    summary,
    tags: ['Operation'],
    security: [],
    responses: { ...responses, 403: refusals[403] },
  }
}

function health() {
  const faults = z.array(z.string()).optional()
  return json('It says so.', z.object({ status: z.string(), faults }))
}
