import type { InterceptionEvent } from './events.ts'
import type { Verdict } from './format.ts'
import { inlineBytes, readReplyOffThread } from './off-thread.ts'
import type { Passage, ReaderOptions, ReplyReader } from './reply-reader.ts'

export interface BodyReaderOptions extends ReaderOptions {
  readonly status: number
  readonly roundNumber: number
  /** @default 32 MiB */
  readonly maxBytes?: number
}

/** What the observed copies of this process may still take together. */
const budget = { bytes: 256 * 1024 * 1024 }

/** Reads a reply that does not stream: its whole body is one frame. The bytes pass as they come. */
export class BodyReader implements ReplyReader {
  readonly ended = false
  partial = false
  readonly #options: BodyReaderOptions
  #chunks: Buffer[] = []
  #length = 0
  #verdict: Verdict | undefined

  constructor(options: BodyReaderOptions) {
    this.#options = options
  }

  push(chunk: Buffer): Passage {
    const { maxBytes = 32 * 1024 * 1024 } = this.#options
    this.partial ||= this.#length + chunk.length > maxBytes || budget.bytes < chunk.length
    if (this.partial) this.#release()
    else {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      budget.bytes -= chunk.length
    }
    return { pass: chunk, held: null }
  }

  observe(): void {}

  async end(): Promise<null> {
    if (this.partial || this.#length === 0) return null
    const [first] = this.#chunks
    const bytes = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks)
    const { format, round, roundNumber, status, emit, frame: tell } = this.#options
    if (bytes.length > inlineBytes) {
      const read = await readReplyOffThread({
        format: format.name,
        bytes,
        status,
        round: roundNumber,
      })
      this.#verdict = read?.verdict
      Object.assign(round.origin, read?.origin)
      this.partial = read === undefined
      // What came from another thread is thawed.
      emit((read?.events ?? []).map((event) => Object.freeze(event)))
    } else {
      const frame = { event: '', data: bytes.toString('utf8'), bytes }
      tell(frame)
      emit(round.read(frame))
    }
    return null
  }

  finish(): readonly InterceptionEvent[] {
    this.#release()
    return this.#verdict ? [] : this.#options.round.finish()
  }

  verdict(): Verdict {
    return this.#verdict ?? this.#options.round.verdict()
  }

  #release(): void {
    budget.bytes += this.#length
    this.#chunks = []
    this.#length = 0
  }
}
