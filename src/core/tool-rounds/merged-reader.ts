import type { InterceptionEvent } from '../events.ts'
import type { Verdict } from '../format.ts'
import type { Passage, ReplyReader } from '../reply-reader.ts'
import type { RoundsObserver } from './observer.ts'

/** The relay's reader of a merged reply that does not stream: all of it was read before. */
export class MergedReader implements ReplyReader {
  readonly ended = false
  readonly partial = false
  readonly #observer: RoundsObserver

  constructor(observer: RoundsObserver) {
    this.#observer = observer
  }

  push(chunk: Buffer): Passage {
    return { pass: chunk, held: null }
  }

  observe(): void {}

  async end(): Promise<null> {
    // The verdict is asked for next: the last round may have failed.
    this.#observer.flush()
    return null
  }

  finish(): readonly InterceptionEvent[] {
    return this.#observer.finish()
  }

  verdict(): Verdict {
    return this.#observer.verdict()
  }
}
