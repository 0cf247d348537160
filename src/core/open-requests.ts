/** A request that is being served. */
export interface Serving {
  /** Its place in the list of those, which alone changes it. */
  place: number
  /** Ends it now, with its records. */
  abort(): void
}

/**
 * The requests that are being served, so that a shutdown can wait for them and end them. A list and no `Set`: a set
 * with much coming and going is copied again and again, each copy holds on to the next one, and so whole requests
 * live on until V8's next big collection.
 */
export class OpenRequests {
  readonly #list: Serving[] = []
  #emptied: (() => void)[] = []

  get size(): number {
    return this.#list.length
  }

  add(serving: Serving): void {
    serving.place = this.#list.push(serving) - 1
  }

  /** Call it once. */
  delete(serving: Serving): void {
    const last = this.#list.pop()
    if (last && last !== serving) {
      last.place = serving.place
      this.#list[last.place] = last
    }
    if (this.#list.length > 0 || this.#emptied.length === 0) return
    for (const resolve of this.#emptied) resolve()
    this.#emptied = []
  }

  /** Ends all. */
  abort(): void {
    for (const serving of [...this.#list]) serving.abort()
  }

  /** Resolves as soon as none is open. */
  empty(): Promise<void> {
    if (this.#list.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#emptied.push(resolve))
  }
}
