import { setImmediate as turn } from 'node:timers/promises'

/** Work that gives streams a turn every few ms, however large its pieces are: `if (work.isLong) await work.pause()`. */
export class LongWork {
  readonly #sliceMs: number
  #begun = performance.now()

  constructor(sliceMs = 10) {
    this.#sliceMs = sliceMs
  }

  get isLong(): boolean {
    return performance.now() - this.#begun >= this.#sliceMs
  }

  async pause(): Promise<void> {
    await turn()
    this.#begun = performance.now()
  }
}
