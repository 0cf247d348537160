import type { Round, RoundOptions, Verdict } from '../format.ts'
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

/** The round of any format: errors by status, one path for streams and whole bodies, the verdict. */
export function createReplyRound(
  { status, streaming }: RoundOptions,
  events: ReplyEvents,
  reader: ReplyReader,
): Round {
  let broken = false

  function readWhole({ data }: Frame): void {
    if (status >= 400) {
      events.error(errorOfStatus(status, data))
      return
    }
    const body = parseJson(data)
    if (!isObject(body)) {
      // It set out to be JSON: the answer is cut short. Anything else is judged by its status.
      broken = body === undefined && /^\s*[{[]/.test(data)
      return
    }
    if (isObject(body.error) || typeof body.error === 'string') events.error(errorOf(body))
    reader.readBody(body)
  }

  function verdict(): Verdict {
    if (events.failure) return { outcome: 'failed', ...events.failure }
    if (status >= 400) {
      const { errorType, message: errorMessage } = errorOfStatus(status, '')
      return { outcome: 'failed', errorType, errorMessage }
    }
    if (broken) {
      return {
        outcome: 'failed',
        errorType: 'unknown',
        errorMessage: 'the JSON of the reply is broken or cut short',
      }
    }
    return { outcome: !streaming || reader.isWhole() ? 'completed' : 'upstream_cut' }
  }

  return {
    get messageId() {
      return events.messageId
    },
    get generating() {
      return events.generating
    },
    read(frame) {
      if (streaming) reader.readFrame(frame)
      else readWhole(frame)
      return events.take()
    },
    finish() {
      reader.readRest()
      events.finalUsage()
      if (status >= 400) events.error(errorOfStatus(status, ''))
      return events.take()
    },
    verdict,
  }
}
