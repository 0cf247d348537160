/** A batch has at most this many records. */
const mostRecords = 300
/** A larger one is tried after so many in a row that went well. */
const steady = 10

/**
 * How many records the next batch may have: half as many after one that took too long, down to one. Twice as many
 * again after one that was so quick that twice as many would not come near the limit, or after some that went well.
 */
export class BatchSize {
  #most = mostRecords
  #limit = Number.POSITIVE_INFINITY
  #well = 0

  get most(): number {
    return this.#most
  }

  get isFull(): boolean {
    return this.#most === mostRecords
  }

  /** A batch of so many was not stored within so many ms. */
  tookTooLong(records: number, ms: number): void {
    this.#most = Math.max(1, Math.min(this.#most, records) >> 1)
    // Ours, or a shorter one of the way to the store.
    this.#limit = ms
    this.#well = 0
  }

  took(records: number, ms: number): void {
    if (this.isFull) return
    const isQuick = (ms / records) * this.#most * 4 <= this.#limit
    if (!isQuick && ++this.#well < steady) return
    this.#well = 0
    this.#most = Math.min(mostRecords, this.#most * 2)
  }
}
