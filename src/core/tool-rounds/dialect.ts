import type { JsonObject } from '../json.ts'
import type { JsonEdit } from '../json-edit.ts'
import type { InjectedTool } from '../mcp/toolbox.ts'
import type { Frame } from '../sse.ts'
import type { ToolResult } from './tool-result.ts'

/** What a wire API needs beyond its `Format` so that the gateway can run tools within one reply. */
export interface ToolDialect {
  /** The names of the client's own tools; null where the request can't take any of ours. */
  ownTools(request: JsonEdit): readonly string[] | null
  /** False where a tool would have the whole request refused. @default all are taken */
  readonly takes?: (tool: InjectedTool) => boolean
  /** Puts tools into a request; `parallel` leaves it to the model to call several at once. */
  inject(request: JsonEdit, tools: readonly InjectedTool[], parallel: boolean): void
  /** Adds to a request what the model answered and what its calls resulted in. */
  followUp(request: JsonEdit, answer: Answer, results: readonly AnsweredCall[]): void
  /** The member that holds what was said so far. */
  readonly history: 'messages' | 'input'
  /**
   * Of what was said so far the elements, by index, into which calls of ours have to be put back that the client never
   * saw, with those calls and their results. `hidden` knows them by the id of a call of the client's beside them.
   */
  restored(
    history: readonly JsonObject[],
    hidden: (callId: string) => readonly AnsweredCall[],
  ): ReadonlyMap<number, readonly JsonObject[]>
  createMerger(isInjected: (tool: string) => boolean): Merger
  /** Keeps the client waiting while tools run. */
  readonly ping: string
  /** The frame that ends a stream with an error of ours. */
  errorFrame(body: unknown, merger: Merger): string
}

/** A call of a tool of ours. */
export interface InjectedCall {
  /** The id that the result names. */
  readonly id: string
  /** The name under which it was offered. */
  readonly tool: string
  /** As the model wrote it. */
  readonly input: string
  /** The item of the reply that it is, where a format has such. */
  readonly item?: JsonObject
}

export interface AnsweredCall extends InjectedCall {
  readonly result: ToolResult
}

/** The model's own message or output items, in the form of a request. */
export type Answer = readonly JsonObject[]

/**
 * Makes one reply of several: reads each round's frames or body, withholds the calls of our tools and what ends a
 * round that has some, renumbers what follows, sums usage.
 */
export interface Merger {
  /** A further upstream reply begins. */
  nextRound(): void
  /** What the client gets of a frame: the frame itself, another text, or nothing. */
  frame(frame: Frame): Frame | string | null
  /** Reads the whole body of a round that does not stream. */
  body(body: JsonObject): void
  /** The round's calls of our tools. */
  readonly calls: readonly InjectedCall[]
  /** True where there are some and the round has ended such that they are to be run. */
  readonly runnable: boolean
  /** Ids of calls of the client's own tools beside them: where there are any, the reply ends for those. */
  readonly ownCalls: readonly string[]
  /** An item that the client gets and that may not be sent back without the call; undefined where there is none. */
  anchorOf?(call: InjectedCall): string | undefined
  /** Members that the next request is to have, unless it has them. */
  readonly carried?: JsonObject
  /** The model's own words of this round, for the request of the next. */
  answer(): Answer
  /** What was withheld of a round's end where the reply ends with it after all. */
  ending(): string
  /** The reply that does not stream, all rounds in one. */
  whole(): JsonObject
  /** Numbers the next frame of ours, where the format numbers them. */
  nextNumber(): number
}

/** A frame with another event name or data. */
export function frameText(event: string, data: unknown): string {
  return `${event === '' ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}
