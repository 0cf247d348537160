import { Readable } from 'node:stream'
import { z } from 'zod'
import { exportText } from '../export.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { interceptionFilter } from './filters.ts'
import { interceptionFilters, q } from './parameters.ts'

const text = (description: string) => ({ schema: { type: 'string', description } as const })

export const exportInterceptions: Endpoint = endpoint({
  path: '/export',
  id: 'exportInterceptions',
  summary:
    'All that match, the oldest first: as NDJSON, which `import` reads, or as CSV with sums.',
  failure: 'Internal error exporting AI Bridge interceptions.',
  parameters: z.strictObject({
    q,
    ...interceptionFilters,
    format: z
      .enum(['ndjson', 'csv'], { error: 'must be ndjson or csv' })
      .optional()
      .meta({ override: { default: 'ndjson' } }),
  }),
  search: { message: 'Invalid workspace search query.', bare: 'initiator' },
  answers: {
    200: {
      description: 'A file.',
      content: {
        'application/x-ndjson': text('An interception a line, with all its records.'),
        'text/csv': text('An interception a row, with the sums of what it used.'),
      },
    },
  },
  async handle({ format = 'ndjson', ...query }, { ctx, caller, store }) {
    ctx.attachment(`sluice-${new Date().toISOString().replace(/[:.]/g, '-')}.${format}`)
    ctx.set('content-type', types[format])
    if (ctx.method === 'HEAD') {
      ctx.status = 200
      return
    }
    const pieces = exportText({ store, format, filter: interceptionFilter(query, caller) })
    // A store that is away is told by a status: nothing has been sent yet.
    const first = await pieces.next()
    ctx.body = Readable.from(begunWith(first, pieces))
  },
})

const types = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
} as const

async function* begunWith(
  first: IteratorResult<string, void>,
  rest: AsyncGenerator<string, void>,
): AsyncGenerator<string, void> {
  if (first.done) return
  yield first.value
  yield* rest
}
