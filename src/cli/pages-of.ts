interface Page {
  readonly limit: number
  readonly after?: string
}

/** The rows of one page, or with `all` of as many as there are: each begins behind the last row before it. */
export async function* pagesOf<Q extends Page, T extends { readonly id?: string }>(
  query: Q,
  all: boolean,
  read: (query: Q) => Promise<readonly T[]>,
  /** Where to go on. */
  behind: (row: T) => Partial<Q> = (row) => ({ after: row.id }) as Partial<Q>,
): AsyncGenerator<T, void> {
  let page = query
  while (true) {
    const rows = await read(page)
    yield* rows
    const last = rows.at(-1)
    if (!all || !last || rows.length < page.limit) return
    page = { ...page, ...behind(last) }
  }
}
