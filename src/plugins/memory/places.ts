/** In which order interceptions ended: each has a number, one more than the last one's. */
export class Places {
  readonly #ids = new Map<number, string>()
  readonly #places = new Map<string, number>()
  /** Numbers of those that ended anew: nothing is lost there. */
  readonly #left = new Set<number>()
  #last = 0

  get last(): number {
    return this.#last
  }

  /** The first time counts. */
  give(id: string): void {
    if (this.#places.has(id)) return
    this.#last++
    this.#places.set(id, this.#last)
    this.#ids.set(this.#last, id)
  }

  /** To the end of the row, if it had a place. */
  move(id: string): void {
    const place = this.#places.get(id)
    if (place !== undefined) {
      this.take(id)
      this.#left.add(place)
    }
    this.give(id)
  }

  take(id: string): void {
    this.#ids.delete(this.#places.get(id) ?? 0)
    this.#places.delete(id)
  }

  /** Who is held after a place, in order. */
  after(place: number): { readonly place: number; readonly id: string }[] {
    return [...this.#ids]
      .filter(([each]) => each > place)
      .map(([each, id]) => ({ place: each, id }))
  }

  /** Whether who came right after is no longer held. */
  isGap(place: number): boolean {
    let next = place + 1
    while (this.#left.has(next)) next++
    return next <= this.#last && !this.#ids.has(next)
  }
}
