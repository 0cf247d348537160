/** Where an interception stands among those before it. */
export interface Kin {
  readonly id: string
  readonly rootId: string
  readonly sessionId: string
}

const dayMs = 24 * 60 * 60 * 1000

/**
 * Who made which tool call, as far as this process knows: the newest of them, by initiator, for a day. A store
 * is never asked while a request waits; recorders link what was not known here.
 */
export class Lineage {
  readonly #kin = new Map<string, Kin & { readonly at: number }>()
  readonly #max: number

  constructor(max = 20_000) {
    this.#max = max
  }

  remember(initiatorId: string, key: string, kin: Kin): void {
    const name = `${initiatorId}\n${key}`
    // Deleted first, so that the order of the map is the order of age.
    this.#kin.delete(name)
    this.#kin.set(name, { ...kin, at: Date.now() })
    if (this.#kin.size <= this.#max) return
    const oldest = this.#kin.keys().next()
    if (!oldest.done) this.#kin.delete(oldest.value)
  }

  find(initiatorId: string, key: string | null): Kin | null {
    if (key === null) return null
    const kin = this.#kin.get(`${initiatorId}\n${key}`)
    return kin && Date.now() - kin.at < dayMs ? kin : null
  }
}
