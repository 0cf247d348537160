import { SluiceError } from '../core/errors.ts'
import { sizeOf } from '../core/record-content.ts'
import type {
  InterceptionPage,
  InterceptionQuery,
  Recorder,
  StoredInterception,
} from '../core/recorder.ts'

/** What a page may weigh in memory. */
const pageBytes = 16 * 1024 ** 2
const firstRows = 100
const mostRows = 500

/**
 * What a query finds, however much that is, in pages that fit into memory: each begins after the last one's key, so
 * that nothing is held open in between. What starts or ends meanwhile is there if it comes after the page. There is
 * always a first page; rejects with `ERR_CURSOR` where `after` is not to be seen.
 */
export async function* interceptionPages(
  store: Pick<Recorder, 'interceptions'>,
  { limit: wanted = Number.POSITIVE_INFINITY, ...query }: InterceptionQuery,
): AsyncGenerator<InterceptionPage, void> {
  let limit = Math.min(wanted, firstRows)
  let page = await store.interceptions({ ...query, limit })
  let left = wanted
  while (true) {
    yield page
    const { results } = page
    const last = results.at(-1)
    left -= results.length
    if (!last || left <= 0) return
    const room = Math.trunc(
      (results.length * pageBytes) / results.reduce((sum, it) => sum + weight(it), 1),
    )
    limit = Math.max(1, Math.min(room, limit * 2, mostRows, left))
    page = await pageAfter(store, { ...query, limit, offset: 0 }, last)
  }
}

async function pageAfter(
  store: Pick<Recorder, 'interceptions'>,
  { after: _before, ...query }: InterceptionQuery & { readonly limit: number },
  last: StoredInterception,
): Promise<InterceptionPage> {
  try {
    return await store.interceptions({ ...query, after: last.id })
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'ERR_CURSOR')) throw error
  }
  // It was pruned or erased since: go on from its place instead.
  const { startedAt } = last.start
  const sign = query.sort === 'oldest' ? 1 : -1
  const place = sign === 1 ? { startedAfter: startedAt } : { startedBefore: startedAt }
  for (let offset = 0; ; offset += query.limit) {
    const page = await store.interceptions({ ...query, ...place, offset })
    const rest = page.results.filter((each) => sign * order(each, last) > 0)
    if (rest.length > 0 || page.results.length < query.limit) return { ...page, results: rest }
  }
}

function order(a: StoredInterception, b: StoredInterception): number {
  const between = Date.parse(a.start.startedAt) - Date.parse(b.start.startedAt)
  return between || (a.id < b.id ? -1 : Number(a.id > b.id))
}

function weight({ others, ...stored }: StoredInterception): number {
  const { tokenUsages, userPrompts, toolUsages, toolResults, modelThoughts } = stored
  const records = [tokenUsages, userPrompts, toolUsages, toolResults, modelThoughts, others].flat()
  return records.reduce((sum, record) => sum + sizeOf(record), 2000)
}
