import { z } from 'zod'
import { annotationNames, annotationText } from '../core/annotations.ts'
import type { InterceptionQuery } from '../core/recorder.ts'

/** An error of the REST API. */
export interface ApiError {
  readonly message: string
  readonly detail?: string
  readonly validations?: readonly { readonly field: string; readonly detail: string }[]
}

const int32 = z
  .string()
  .regex(/^\d{1,10}$/, { error: 'must be a whole number, 0 or more' })
  .transform(Number)
  .refine((value) => value < 2 ** 31, { error: 'must be less than 2147483648' })

/** Asked for as it is recorded, so that what finds it is what was sent. */
const annotation = z
  .string({ error: 'must be given once' })
  .transform(annotationText)
  .refine((value) => value !== '', { error: 'must not be blank' })
  .optional()

const listQuery = z.strictObject({
  limit: int32.prefault('0'),
  offset: int32.prefault('0'),
  initiator: z.string().optional(),
  repo: annotation,
  branch: annotation,
  issue: annotation,
})

/** The parameters of a list, or what to answer with 400: all that is wrong with them at once. */
export function readListQuery(
  parameters: Readonly<Record<string, unknown>>,
  caller: string,
): { readonly query: InterceptionQuery } | { readonly error: ApiError } {
  const given = Object.entries(parameters).filter(([, value]) => value !== '')
  const result = listQuery.safeParse(Object.fromEntries(given))
  if (!result.success) {
    const validations = result.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((field) => ({ field, detail: `Query param "${field}" is not available` }))
        : [
            {
              field: String(issue.path[0]),
              detail: `Query param "${String(issue.path[0])}" ${issue.message}`,
            },
          ],
    )
    return { error: { message: 'Query parameters have invalid values.', validations } }
  }
  const { limit, offset, initiator } = result.data
  if (limit > 1000) {
    return {
      error: {
        message: 'Invalid pagination limit value.',
        detail: 'Pagination limit must be in range (0, 1000]',
      },
    }
  }
  const who = initiator === 'me' ? caller : initiator
  const annotations = Object.fromEntries(
    annotationNames.flatMap((name) => {
      const value = result.data[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  return {
    query: {
      limit: limit || 100,
      offset,
      ...(who !== undefined && { initiator: who }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
  }
}
