import type { InterceptionFilter, Recorder, StoredInterception } from '../core/recorder.ts'
import { interceptionPages } from './interception-pages.ts'

/** All that match, the oldest first, page by page. */
export async function* exportPages(
  store: Pick<Recorder, 'interceptions'>,
  filter: InterceptionFilter = {},
): AsyncGenerator<readonly StoredInterception[], void> {
  for await (const { results } of interceptionPages(store, { ...filter, sort: 'oldest' }))
    if (results.length > 0) yield results
}
