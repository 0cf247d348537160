import type { InterceptionEvent } from './events.ts'
import type { Format, Round, Verdict } from './format.ts'
import type { Frame } from './sse.ts'

/** Reads a copy of a reply's bytes; what it can't read passes all the same. */
export interface ReplyReader {
  /** True once the reply's terminal frame was read: what follows is passed on, not observed. */
  readonly ended: boolean
  /** True where something passed that was not read: too large, too compressed, broken encoding. */
  readonly partial: boolean
  /** Frames a chunk: which of its bytes may go now, and which belong to the reply's end. */
  push(chunk: Buffer): Passage
  /** Gives the events of what was framed last. */
  observe(): void
  /** At the end of the body: reads what is left and gives the bytes that are still owed to the client. */
  end(): Promise<Uint8Array | null>
  /** What is still owed of events when the reply ended or broke off. Called once. */
  finish(): readonly InterceptionEvent[]
  /** How a reply that ended cleanly is to be judged by what was read. */
  verdict(): Verdict
}

export interface Passage {
  readonly pass: Uint8Array | null
  readonly held: Uint8Array | null
}

export interface ReaderOptions {
  readonly format: Format
  readonly round: Round
  readonly emit: (events: readonly InterceptionEvent[]) => void
  /** Hears that the terminal frame's events were given. */
  readonly terminal: () => void
  /** Hears of each frame, for `Interception.frames$`. */
  readonly frame: (frame: Frame) => void
}
