import type { Collection, Document, Filter } from 'mongodb'
import { within } from '../../core/within.ts'

export interface Counted {
  readonly count: number
  readonly countExact?: false
}

/** How long a list waits for its count, in ms. */
const patience = 150
/** What is counted at once, and a text search is counted to. */
const most = 10_000
const remembered = 200

/** Counts by index; what takes longer than a list may is what it was a moment ago, or a lower bound. */
export class Counts {
  readonly #last = new Map<string, number>()
  readonly #running = new Map<string, Promise<number>>()

  async count<T extends Document>(
    collection: Collection<T>,
    filter: Filter<T>,
    { bounded = false }: { readonly bounded?: boolean } = {},
  ): Promise<Counted> {
    const few = await countSome(collection, filter)
    if (bounded || few.countExact !== false) return few
    const key = `${collection.collectionName} ${JSON.stringify(filter)}`
    const counting = this.#running.get(key) ?? this.#begin(collection, filter, key)
    if (await within(counting, patience)) return { count: await counting }
    return { count: this.#last.get(key) ?? few.count, countExact: false }
  }

  #begin<T extends Document>(
    collection: Collection<T>,
    filter: Filter<T>,
    key: string,
  ): Promise<number> {
    const counting = collection.countDocuments(filter).then((count) => {
      this.#last.delete(key)
      this.#last.set(key, count)
      for (const oldest of this.#last.keys()) {
        if (this.#last.size <= remembered) break
        this.#last.delete(oldest)
      }
      return count
    })
    this.#running.set(key, counting)
    counting.catch(() => {}).finally(() => this.#running.delete(key))
    return counting
  }
}

async function countSome<T extends Document>(
  collection: Collection<T>,
  filter: Filter<T>,
): Promise<Counted> {
  const count = await collection.countDocuments(filter, { limit: most + 1 })
  return count > most ? { count: most, countExact: false } : { count }
}
