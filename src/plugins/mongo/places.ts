import type { Interceptions } from './collections.ts'
import { furtherParts, type InterceptionDocument, partId } from './interception-document.ts'

/** A part takes new records up to here; with a last large one it stays far below MongoDB's 16 MiB. */
const partLimit = 4 * 1024 ** 2
/** No document grows beyond this, whatever replaces what. */
export const documentLimit: number = 12 * 1024 ** 2

interface Place {
  readonly part: number
  readonly bytes: number
}

/** Where the records of one interception lie, so that a record written again lands where it was. */
export class Places {
  readonly #where = new Map<string, Place>()
  readonly #bytes: number[] = []

  constructor(documents: readonly InterceptionDocument[]) {
    for (const [part, { bytes = 0, seqs = {} }] of documents.entries()) {
      this.#bytes[part] = bytes
      for (const id of Object.keys(seqs)) this.#where.set(id, { part, bytes: 0 })
    }
    this.#bytes[0] ??= 0
  }

  get parts(): number {
    return this.#bytes.length
  }

  /** How large a part has become, at most. */
  bytesIn(part: number): number {
    return this.#bytes[part] ?? 0
  }

  /** The part for a record: where it is, else the last one, else a new one. */
  partFor(recordId: string, wanted: number): number {
    const known = this.#where.get(recordId)
    if (known) return known.part
    const last = this.parts - 1
    return this.bytesIn(last) > 0 && this.bytesIn(last) + wanted > partLimit ? last + 1 : last
  }

  put(recordId: string, part: number, bytes: number): void {
    this.#bytes[part] = this.bytesIn(part) + bytes - (this.#where.get(recordId)?.bytes ?? 0)
    this.#where.set(recordId, { part, bytes })
  }
}

/** Reads where the records of these interceptions lie. */
export async function loadPlaces(
  interceptions: Interceptions,
  ids: readonly string[],
): Promise<Map<string, Places>> {
  const projection = { seqs: 1, bytes: 1, parts: 1 }
  const find = (wanted: readonly string[]) =>
    interceptions.find({ _id: { $in: wanted } }, { projection }).toArray()
  const first = await find(ids)
  const more = furtherParts(first)
  const documents = new Map(
    [...first, ...(more.length > 0 ? await find(more) : [])].map((d) => [d._id, d]),
  )
  return new Map(
    ids.map((id) => {
      const parts = documents.get(id)?.parts ?? 1
      const own = Array.from(
        { length: parts },
        (_, part) => documents.get(partId(id, part)) ?? { _id: partId(id, part) },
      )
      return [id, new Places(own)]
    }),
  )
}
