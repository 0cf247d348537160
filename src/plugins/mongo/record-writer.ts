import { bulkUpsert, tryUpserts, type Upsert } from './bulk-upsert.ts'
import type { Interceptions } from './collections.ts'
import type { RecordGroup } from './grouped-records.ts'
import type { InterceptionDocument } from './interception-document.ts'
import { loadPlaces, Places } from './places.ts'
import { upsertsFor } from './upserts.ts'

/** How many open interceptions are remembered; the others are looked up when they write again. */
const remembered = 5000

/** Writes batches of records, and remembers where those of open interceptions lie. */
export class RecordWriter {
  readonly #places = new Map<string, Places>()

  async write(
    interceptions: Interceptions,
    groups: ReadonlyMap<string, RecordGroup>,
  ): Promise<void> {
    const found = await this.#find(interceptions, [...groups.keys()])
    const upserts = [...groups].flatMap(([id, group]) =>
      upsertsFor(id, group, found.get(id) as Places),
    )
    // Forgotten until it is known to be written: after a failure the next batch looks what is there.
    for (const id of groups.keys()) this.#places.delete(id)
    await bulkUpsert(interceptions, upserts)
    await touchAgain(interceptions, upserts)
    for (const [id, { records, reapedEnd }] of groups) {
      const ended = reapedEnd ?? records.values().some(({ type }) => type === 'interception_end')
      if (!ended) this.#remember(id, found.get(id) as Places)
    }
  }

  async #find(interceptions: Interceptions, ids: readonly string[]): Promise<Map<string, Places>> {
    const unknown = ids.filter((id) => !this.#places.has(id))
    const loaded = unknown.length > 0 ? await loadPlaces(interceptions, unknown) : undefined
    return new Map(ids.map((id) => [id, loaded?.get(id) ?? this.#places.get(id) ?? new Places([])]))
  }

  #remember(id: string, places: Places): void {
    this.#places.set(id, places)
    // A Map keeps the order of insertion: the first has been idle longest.
    for (const oldest of this.#places.keys()) {
      if (this.#places.size <= remembered) return
      this.#places.delete(oldest)
    }
  }
}

/** Further parts may have come after the first one: whoever read between sees that there is more. */
async function touchAgain(
  interceptions: Interceptions,
  upserts: readonly Upsert<InterceptionDocument>[],
): Promise<void> {
  const ids = upserts.map(({ filter }) => String(filter._id)).filter((id) => id.includes('#'))
  const first = new Set(ids.map((id) => id.slice(0, id.indexOf('#'))))
  await tryUpserts(
    interceptions,
    [...first].map((_id) => ({
      filter: { _id },
      update: { $set: { stale: true }, $inc: { rev: 1 } },
    })),
  )
}
