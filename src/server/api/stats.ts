import { z } from 'zod'
import { type Measures, measureNames } from '../../core/measures.ts'
import type { StatsKey } from '../../core/store.ts'
import { snakeCase } from '../record-fields.ts'
import { answer, type Endpoint, endpoint, json } from './endpoint.ts'
import { given, storeFilter } from './filters.ts'
import { time } from './interception-schema.ts'
import { limitFault } from './interceptions.ts'
import { limit, q, storeFilters } from './parameters.ts'
import { allSums } from './session-schema.ts'
import { sumsOf, tokensOf } from './session-shape.ts'

const keys = {
  user: 'user',
  model: 'model',
  client: 'client',
  provider: 'provider',
  provider_name: 'providerName',
  tool: 'tool',
  none: 'none',
} as const satisfies Record<string, StatsKey>
type Key = keyof typeof keys

const measures = new Map(measureNames.map((name) => [snakeCase(name), name]))
const sorts = [...measures.keys()]

const row = z
  .object({
    key: z.string().meta({ description: 'The user’s name for `user`, empty for `none`.' }),
    initiator_id: z.string().optional().meta({ description: 'For `user`.' }),
    bucket: time.optional().meta({ description: 'Where its hour or day begins, in UTC.' }),
    ...allSums,
  })
  .meta({ id: 'StatsRow' })

export const showStats: Endpoint = endpoint({
  path: '/stats',
  id: 'showStats',
  summary: 'Sums, the largest first; with an interval by time, then so.',
  failure: 'Internal error getting stats.',
  parameters: z.strictObject({
    q,
    ...storeFilters,
    group_by: z
      .enum(Object.keys(keys) as [Key, ...Key[]], {
        error: `must be one of ${Object.keys(keys).join(', ')}`,
      })
      .optional()
      .meta({ override: { default: 'none' } }),
    interval: z.enum(['hour', 'day'], { error: 'must be hour or day' }).optional(),
    sort: z
      .enum(sorts, { error: `must be one of ${sorts.join(', ')}` })
      .optional()
      .meta({ override: { default: 'interceptions' } }),
    limit: limit(1000, 1000, limitFault).meta({
      description: 'Rows at most, or rows for each hour or day.',
    }),
  }),
  search: { message: 'Invalid stats search query.' },
  answers: { 200: json('Rows.', z.object({ results: z.array(row) })) },
  async handle(query, { ctx, caller, store }) {
    const { group_by: key = 'none', interval, sort = 'interceptions', limit } = query
    const found = await store.stats({
      ...storeFilter(query, caller),
      ...given({ interval, sort: measures.get(sort) as keyof Measures | undefined }),
      groupBy: keys[key],
      limit,
    })
    const results = found.map((each) => ({
      key: each.key,
      ...given({ initiator_id: each.initiatorId, bucket: each.bucket }),
      ...sumsOf(each),
      ...tokensOf(each),
    }))
    answer(ctx, 200, { results })
  },
})
