import type { InterceptionRecord } from '../../core/records.ts'

/** Beyond this to look through the list takes longer than to ask a map. */
const fewest = 16

/** Records by id, the first to come first. Most interceptions have half a dozen: a map for each is work for the collector. */
export class RecordList {
  readonly #records: InterceptionRecord[] = []
  #places: Map<string, number> | null = null

  get(id: string): InterceptionRecord | undefined {
    return this.#records[this.#placeOf(id)]
  }

  /** In the place of one with the same id. */
  set(record: InterceptionRecord): void {
    const place = this.#placeOf(record.id)
    if (place >= 0) {
      this.#records[place] = record
      return
    }
    this.#places?.set(record.id, this.#records.length)
    this.#records.push(record)
    if (this.#places || this.#records.length <= fewest) return
    this.#places = new Map(this.#records.map(({ id }, at) => [id, at]))
  }

  all(): readonly InterceptionRecord[] {
    return this.#records
  }

  #placeOf(id: string): number {
    if (this.#places) return this.#places.get(id) ?? -1
    for (let at = 0; at < this.#records.length; at++) if (this.#records[at]?.id === id) return at
    return -1
  }
}
