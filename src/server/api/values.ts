import { z } from 'zod'
import type { ValueName } from '../../core/store.ts'
import { answer, type Endpoint, endpoint, json } from './endpoint.ts'
import { given, visibleTo } from './filters.ts'
import { limitFault } from './interceptions.ts'
import { limit, offset, q, text } from './parameters.ts'

/** For menus of filters: the names that occur, in order. */
function values(path: string, name: ValueName & string): Endpoint {
  return endpoint({
    path: `/${path}`,
    id: `list${path.charAt(0).toUpperCase()}${path.slice(1)}`,
    summary: `The ${path} that occur, in order; a word in \`q\` is what they begin with.`,
    failure: `Internal error getting AI Gateway ${path}.`,
    parameters: z.strictObject({
      q,
      [name]: text.optional().meta({ description: 'What they begin with.' }),
      limit: limit(100, 1000, limitFault),
      offset,
    }),
    search: { message: `Invalid AI Gateway ${path} search query.`, bare: name },
    answers: { 200: json('Names.', z.array(z.string())) },
    async handle({ limit, offset, ...query }, { ctx, caller, store }) {
      const prefix = query[name] as string | undefined
      const page = { of: name, limit: Number(limit), offset: Number(offset) }
      const found = await store.values({ ...page, ...visibleTo(caller), ...given({ prefix }) })
      answer(ctx, 200, [...found])
    },
  })
}

export const valueLists: readonly Endpoint[] = [
  values('models', 'model'),
  values('clients', 'client'),
  values('providers', 'provider'),
]
