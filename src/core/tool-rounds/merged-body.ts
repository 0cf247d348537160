import { Readable } from 'node:stream'

/** The body of a merged reply: written at its reader's pace, given up when the reader gives it up. */
export class MergedBody extends Readable {
  /** Aborts when the body is destroyed before its end. */
  readonly signal: AbortSignal
  readonly #abort = new AbortController()
  #taken: (() => void) | undefined
  #wanted = true

  constructor() {
    super()
    this.signal = this.#abort.signal
    // It may break before anybody reads it.
    this.on('error', () => {})
  }

  /** Resolves when more may be written; rejects never: a body that was given up takes all. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.destroyed || bytes.length === 0) return
    this.#wanted = this.push(bytes)
    if (this.#wanted || this.destroyed) return
    await new Promise<void>((resolve) => {
      this.#taken = resolve
    })
  }

  /** Writes where the reader keeps up. */
  offer(text: string): void {
    if (this.#wanted && !this.destroyed) this.#wanted = this.push(text)
  }

  end(): void {
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    this.#wanted = true
    this.#taken?.()
    this.#taken = undefined
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.readableEnded) this.#abort.abort(error ?? new Error('the reply was given up'))
    this._read()
    callback(error)
  }
}
