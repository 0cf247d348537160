/**
 * Blocks of a reply by their index. They may arrive in any order, but leave in order: a block goes when
 * it and all before it are whole, so that a stream gives the same records as a whole body.
 */
export class InOrder<T> {
  readonly #waiting = new Map<number, { block: T; whole: boolean }>()
  readonly #displaced: T[] = []
  #next = 0

  get(index: number): T | undefined {
    return this.#waiting.get(index)?.block
  }

  open(index: number, block: T): void {
    const other = this.#waiting.get(index)
    if (other) this.#displaced.push(other.block)
    // A gateway that strings replies together begins its indexes again.
    else if (index < this.#next && this.#waiting.size === 0) this.#next = index
    this.#waiting.set(index, { block, whole: false })
  }

  /** Marks a block as whole and gives those that can go now. */
  close(index: number): T[] {
    const entry = this.#waiting.get(index)
    if (entry) entry.whole = true
    const ready: T[] = []
    for (;;) {
      const first = this.#waiting.get(this.#next)
      if (!first?.whole) return ready
      this.#waiting.delete(this.#next++)
      ready.push(first.block)
    }
  }

  /** All that has not gone, whole or not. */
  rest(): T[] {
    const entries = [...this.#waiting].sort(([a], [b]) => a - b)
    this.#waiting.clear()
    return [...this.#displaced.splice(0), ...entries.map(([, { block }]) => block)]
  }
}
