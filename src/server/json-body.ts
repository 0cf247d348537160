import type { Context } from 'koa'
import type { z } from 'zod'
import { isObject, parseJson } from '../core/json.ts'
import type { ApiError } from './api/fault.ts'

const maxBytes = 64 * 1024

/** The body of a REST request by its schema, or what to answer with 400: all that is wrong with it at once. */
export async function readJsonBody<T>(
  ctx: Context,
  schema: z.ZodType<T>,
): Promise<{ readonly body: T } | { readonly error: ApiError }> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of ctx.req) {
    length += chunk.length
    if (length > maxBytes) return { error: { message: 'The body is larger than 64 KiB.' } }
    chunks.push(chunk)
  }
  const body = length === 0 ? {} : parseJson(Buffer.concat(chunks).toString('utf8'))
  if (!isObject(body)) return { error: { message: 'The body is not a JSON object.' } }
  const result = schema.safeParse(body)
  if (result.success) return { body: result.data }
  const validations = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((field) => ({ field, detail: 'is not known' }))
      : [{ field: issue.path.join('.'), detail: issue.message }],
  )
  return { error: { message: 'The body has invalid values.', validations } }
}
