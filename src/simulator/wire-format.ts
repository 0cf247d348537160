import type { JsonObject } from '../core/json.ts'
import type { Answer, Ids, ServerSentEvent } from './answer.ts'
import type { Question } from './question.ts'
import type { VendorError } from './vendor-error.ts'

/** How one vendor's API reads a request and writes an answer. */
export interface WireFormat {
  question(body: JsonObject): Question
  /** The events of a streamed answer, the last one included; drawn one by one, so that huge ones cost no memory. */
  events(answer: Answer, question: Question, ids: Ids, created: number): Iterable<ServerSentEvent>
  /** The body of a blocking answer. */
  body(answer: Answer, question: Question, ids: Ids, created: number): JsonObject
  /** What ends a stream that fails midway; `sent` events came before. */
  errorEvents(error: VendorError, sent: number): ServerSentEvent[]
}
