import type { ErrorType, InterceptionEvent, Prompt, ToolResult } from './events.ts'
import type { FormatName, Purpose } from './records.ts'
import type { Frame } from './sse.ts'

/** What the bytes of a wire API mean. All formats have the same members in the same order. */
export interface Format {
  readonly name: FormatName
  /** Reads a request body that is already parsed JSON. Never throws: what it cannot read stays unknown. */
  readRequest(body: unknown): RequestSummary
  /** A reader for the frames of one upstream reply. `round` is 0 for the first upstream call. */
  createRound(options: RoundOptions): Round
  /** True where this frame ends the reply; looks only at the frame's fields, or its JSON if it must. */
  isTerminal(frame: Frame): boolean
  /**
   * Two blocks or more that differ in a piece of text alone, so that all tell a text if the first one does. Sticky;
   * for bytes of which each is a character. What it does not know is read: it has the spelling of the vendor's own.
   */
  readonly textRun: RegExp
  /** The body of an error of our own, in the shape that this API's clients parse. */
  errorBody(error: { status: number; errorType: ErrorType; message: string }): unknown
}

export interface RoundOptions {
  readonly round: number
  /** True for `text/event-stream`: many frames; false: one frame with the whole JSON body. */
  readonly streaming: boolean
  /** The reply's HTTP status. */
  readonly status: number
}

/** Reads one reply: a stream of many frames, or one frame with a whole JSON body. */
export interface Round {
  /** Response id as far as known, empty before. */
  readonly messageId: string
  /** True once the model has said anything: the first text, reasoning or tool delta. */
  readonly generating: boolean
  /** True where the last frame that was read told a piece of text and nothing else. */
  readonly toldText: boolean
  /** Who answers. */
  readonly origin: ReplyOrigin
  /** The events that these frames give, in order. Never throws: broken JSON gives none. */
  read(...frames: readonly Frame[]): readonly InterceptionEvent[]
  /**
   * What is still owed when the reply ends, breaks off or its terminal frame was read: open blocks as far
   * as they came, final usage. Called once.
   */
  finish(): readonly InterceptionEvent[]
  /** How a reply that ended cleanly at the end of the body is to be judged, by what was read so far. */
  verdict(): Verdict
}

/** Who answers, by the reply's own words; filled in as it is read, empty where it does not say. */
export interface ReplyOrigin {
  /** Often another name than the request's: a dated one for an alias. */
  model: string
  /** Chat: `system_fingerprint`. */
  fingerprint: string
}

export type Verdict =
  | { readonly outcome: 'completed' | 'upstream_cut' }
  | { readonly outcome: 'failed'; readonly errorType: ErrorType; readonly errorMessage: string }

/** What a request says, extracted: the body itself is not kept. */
export interface RequestSummary {
  /** Empty where the request names none. */
  readonly model: string
  readonly streaming: boolean
  /** Responses with `background: true`: passed through, not intercepted. */
  readonly background: boolean
  readonly prompt: Prompt | null
  readonly purpose: Purpose | null
  readonly toolResults: readonly ToolResult[]
  /** The id of the tool call that the last turn answers: links this interception to the one that made it. */
  readonly correlatingToolCallId: string | null
  /** Chat streams: whether the client sent `stream_options` at all. */
  readonly hasStreamOptions: boolean
}
