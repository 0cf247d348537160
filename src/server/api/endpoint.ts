import type { Context } from 'koa'
import { z } from 'zod'
import type { ZodOpenApiResponseObject } from 'zod-openapi'
import { SluiceError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import type { Caller } from '../identity/caller.ts'
import type { ApiError } from './fault.ts'
import type { LiveFeed } from './live-feed.ts'
import type { QuerySpec } from './read-query.ts'

/** A GET of the API: what it takes, what it answers with. Read by the router and by the API's description. */
export interface Endpoint<P extends z.ZodObject = z.ZodObject> extends QuerySpec<P> {
  /** Below the prefix, as OpenAPI writes it. */
  readonly path: string
  readonly id: string
  readonly summary: string
  /** Beside those that every endpoint has. */
  readonly answers: Readonly<Record<`${number}`, ZodOpenApiResponseObject>>
  /** What is said where the store fails. */
  readonly failure: string
  handle(query: z.output<P>, request: ApiRequest): Promise<void>
}

export interface ApiRequest {
  readonly ctx: Context
  readonly caller: Caller
  readonly store: Store
  readonly live: LiveFeed
}

export const apiError = z
  .object({
    message: z.string(),
    detail: z.string().optional(),
    validations: z.array(z.object({ field: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Error' })

/** Keeps the parameters' types to its handler. */
export function endpoint<P extends z.ZodObject>(definition: Endpoint<P>): Endpoint {
  return definition as unknown as Endpoint
}

export function json(description: string, schema: z.ZodType): ZodOpenApiResponseObject {
  return { description, content: { 'application/json': { schema } } }
}

export function answer(ctx: Context, status: number, body: object): void {
  ctx.status = status
  ctx.body = body
}

/** What is read, or null where its cursor is not to be seen: that is answered then. */
export async function orBadCursor<T>(
  ctx: Context,
  read: () => Promise<T>,
  tell: () => ApiError | Promise<ApiError>,
): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'ERR_CURSOR')) throw error
    answer(ctx, 400, await tell())
    return null
  }
}
