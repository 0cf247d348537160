import type { InterceptionEvent } from '../events.ts'
import type { ReplyOrigin, Round, RoundOptions, Verdict } from '../format.ts'
import { isObject, type JsonObject, parseJson } from '../json.ts'
import type { Frame } from '../sse.ts'
import { errorOf, errorOfStatus } from './reply-error.ts'
import type { ReplyEvents } from './reply-events.ts'

/** What a format adds: how its frames and bodies are read into events. */
export interface ReplyReader {
  readFrame(frame: Frame): void
  readBody(body: JsonObject): void
  /** Tells what is still open, as far as it came, and why the model stopped. */
  readRest(): void
  /** True where a stream has come to its format's end. */
  isWhole(): boolean
}

/**
 * The round of any format: errors by status, one path for streams and whole bodies, the verdict. A class: V8 makes a
 * hidden class for each object literal with a getter.
 */
export class ReplyRound implements Round {
  readonly #status: number
  readonly #streaming: boolean
  readonly #events: ReplyEvents
  readonly #reader: ReplyReader
  #broken = false
  #toldText = false

  constructor({ status, streaming }: RoundOptions, events: ReplyEvents, reader: ReplyReader) {
    this.#status = status
    this.#streaming = streaming
    this.#events = events
    this.#reader = reader
  }

  get messageId(): string {
    return this.#events.messageId
  }

  get origin(): ReplyOrigin {
    return this.#events.origin
  }

  get toldText(): boolean {
    return this.#toldText
  }

  get generating(): boolean {
    return this.#events.generating
  }

  read(...frames: readonly Frame[]): readonly InterceptionEvent[] {
    for (let at = 0; at < frames.length; at++) {
      const frame = frames[at] as Frame
      const before = this.#events.count
      if (this.#streaming) this.#reader.readFrame(frame)
      else this.#readWhole(frame)
      this.#toldText = this.#events.endsWithText && this.#events.count === before + 1
    }
    return this.#events.take()
  }

  finish(): readonly InterceptionEvent[] {
    this.#reader.readRest()
    this.#events.finalUsage()
    if (this.#status >= 400) this.#events.error(errorOfStatus(this.#status, ''))
    return this.#events.take()
  }

  verdict(): Verdict {
    const { failure } = this.#events
    if (failure) return { outcome: 'failed', ...failure }
    if (this.#status >= 400) {
      const { errorType, message: errorMessage } = errorOfStatus(this.#status, '')
      return { outcome: 'failed', errorType, errorMessage }
    }
    if (this.#broken) {
      return {
        outcome: 'failed',
        errorType: 'unknown',
        errorMessage: 'the JSON of the reply is broken or cut short',
      }
    }
    return { outcome: !this.#streaming || this.#reader.isWhole() ? 'completed' : 'upstream_cut' }
  }

  #readWhole({ data }: Frame): void {
    if (this.#status >= 400) {
      this.#events.error(errorOfStatus(this.#status, data))
      return
    }
    const body = parseJson(data)
    if (!isObject(body)) {
      // It set out to be JSON: the answer is cut short. Anything else is judged by its status.
      this.#broken = body === undefined && /^\s*[{[]/.test(data)
      return
    }
    if (isObject(body.error) || typeof body.error === 'string') this.#events.error(errorOf(body))
    this.#reader.readBody(body)
  }
}
