import type { Collection, Filter } from 'mongodb'

const atOnce = 50

/** The ids of what matches in batches, in their order: what comes or goes in between does no harm. */
export async function* idPages<T extends { readonly _id: string }>(
  collection: Collection<T>,
  filter: Filter<T> = {},
): AsyncGenerator<string[]> {
  for (let last = ''; ; ) {
    const further = { $and: [{ _id: { $gt: last } }, filter] } as Filter<T>
    const found = await collection
      .find(further, { projection: { _id: 1 }, readPreference: 'primary' })
      .sort({ _id: 1 })
      .limit(atOnce)
      .toArray()
    const ids = found.map(({ _id }) => String(_id))
    if (ids.length === 0) return
    yield ids
    last = ids.at(-1) as string
  }
}
