import { z } from 'zod'
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi'
import { apiError, type Endpoint, json } from './endpoint.ts'
import { endpoints } from './endpoints.ts'

export interface OpenApiOptions {
  /** Where the API is mounted. */
  readonly prefix: string
  /** What else is served, by whole path. @default nothing */
  readonly paths?: ZodOpenApiPathsObject
}

/** The description of the API, from the schemas that read its parameters and shape its answers. */
export function openApi({ prefix, paths = {} }: OpenApiOptions): object {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version: '2',
      description: 'What passed between clients and models, and who may use the gateway.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { bearer: [] }],
    tags: [
      { name: 'Records', description: 'What passed. Members see their own, others all.' },
      { name: 'Users', description: 'Users and their tokens, for owners.' },
      { name: 'Operation', description: 'Is it well?' },
    ],
    components: {
      securitySchemes: {
        token: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Sluice-Token',
          description: 'Also as Coder-Session-Token. Without login none is needed.',
        },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
    paths: {
      ...Object.fromEntries(
        endpoints.map((each) => [prefix + each.path, { get: operation(each) }]),
      ),
      ...paths,
    },
  })
}

function operation({ id, summary, path, parameters, answers }: Endpoint) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  return {
    operationId: id,
    summary,
    tags: ['Records'],
    requestParams: {
      ...(names.length > 0 && {
        path: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))),
      }),
      query: parameters,
    },
    responses: {
      ...answers,
      400: json('Parameters that are not known, or have bad values: all that is wrong.', apiError),
      ...refusals,
      500: json('The store failed.', apiError),
    },
  }
}

/** What whoever asks may get from every route that wants to know who that is. */
export const refusals = {
  401: json('No token, or a bad one.', apiError),
  403: json('Not for this user, or for a web page of another origin.', apiError),
  429: json('Too many wrong tokens came from this address: see Retry-After.', apiError),
  503: json('The store, or what checks tokens, is away: see Retry-After.', apiError),
}
