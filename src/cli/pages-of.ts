interface Page {
  readonly limit: number
  readonly after?: string
}

/** Rows that are read at first: how large they are is not known yet. */
const firstRows = 100
/** What a page may hold, in characters. */
const pageSize = 16 * 1024 ** 2

/**
 * As many rows as `limit` says, or with `all` as there are, in pages that fit into memory: each begins behind the last
 * row before it.
 */
export async function* pagesOf<Q extends Page, T extends { readonly id?: string }>(
  query: Q,
  all: boolean,
  read: (query: Q) => Promise<readonly T[]>,
  /** Where to go on. */
  behind: (row: T) => Partial<Q> = (row) => ({ after: row.id }) as Partial<Q>,
): AsyncGenerator<T, void> {
  let left = all ? Number.POSITIVE_INFINITY : query.limit
  let page: Q = { ...query, limit: Math.min(query.limit, firstRows) }
  while (true) {
    const rows = await read(page)
    yield* rows
    const last = rows.at(-1)
    left -= rows.length
    if (!last || left <= 0 || rows.length < page.limit) return
    const room = Math.trunc(
      (rows.length * pageSize) / rows.reduce((sum, row) => sum + size(row), 1),
    )
    const limit = Math.max(1, Math.min(room, page.limit * 2, query.limit, left))
    page = { ...page, limit, ...behind(last) }
  }
}

function size(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  return Object.values(value).reduce<number>((sum, each) => sum + size(each), 8)
}
