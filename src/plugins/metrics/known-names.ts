/** Names that may be label values: so many, and no more, whatever strangers make up. */
export class KnownNames {
  readonly #names = new Set<string>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** True where nothing can be learnt of it any more: it is known, or there are enough. */
  isSettled(name: string): boolean {
    return this.#names.size >= this.#limit || this.#names.has(name)
  }

  learn(name: string): void {
    if (this.#names.size < this.#limit) this.#names.add(name)
  }

  /** The name if it is known, else `other`. */
  fold(name: string): string {
    return this.#names.has(name) ? name : 'other'
  }
}
