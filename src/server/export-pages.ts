import { SluiceError } from '../core/errors.ts'
import { sizeOf } from '../core/record-content.ts'
import type { InterceptionFilter, Recorder, StoredInterception } from '../core/recorder.ts'

/** What a page may weigh in memory. */
const pageBytes = 16 * 1024 ** 2
const mostRows = 500

/**
 * All that match, the oldest first, page by page: each begins after the last one's key, so that nothing is
 * held open or counted in between. What starts or ends meanwhile is there if it comes after the page.
 */
export async function* exportPages(
  store: Pick<Recorder, 'interceptions'>,
  filter: InterceptionFilter = {},
): AsyncGenerator<readonly StoredInterception[], void> {
  let last: StoredInterception | undefined
  let limit = 100
  while (true) {
    const page: readonly StoredInterception[] = await pageAfter(store, filter, last, limit)
    if (page.length === 0) return
    yield page
    last = page.at(-1)
    const room = Math.trunc(
      (page.length * pageBytes) / page.reduce((sum, it) => sum + weight(it), 1),
    )
    limit = Math.max(1, Math.min(room, limit * 2, mostRows))
  }
}

async function pageAfter(
  store: Pick<Recorder, 'interceptions'>,
  filter: InterceptionFilter,
  last: StoredInterception | undefined,
  limit: number,
): Promise<readonly StoredInterception[]> {
  const query = { ...filter, sort: 'oldest', limit } as const
  if (!last) return (await store.interceptions(query)).results
  try {
    return (await store.interceptions({ ...query, after: last.id })).results
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'ERR_CURSOR')) throw error
  }
  // It was pruned or erased since: go on from its place instead.
  for (let offset = 0; ; offset += limit) {
    const { results } = await store.interceptions({
      ...query,
      offset,
      startedAfter: last.start.startedAt,
    })
    const rest = results.filter((each) => isAfter(each, last))
    if (rest.length > 0 || results.length < limit) return rest
  }
}

function isAfter(each: StoredInterception, last: StoredInterception): boolean {
  const between = Date.parse(each.start.startedAt) - Date.parse(last.start.startedAt)
  return between > 0 || (between === 0 && each.id > last.id)
}

function weight({ others, ...stored }: StoredInterception): number {
  const { tokenUsages, userPrompts, toolUsages, toolResults, modelThoughts } = stored
  const records = [tokenUsages, userPrompts, toolUsages, toolResults, modelThoughts, others].flat()
  return records.reduce((sum, record) => sum + sizeOf(record), 2000)
}
