import { isAskedUsage } from './chat-usage.ts'
import type { InterceptionEvent } from './events.ts'
import type { Verdict } from './format.ts'
import type { Passage, ReaderOptions, ReplyReader } from './reply-reader.ts'
import { type Block, type Frame, Framer, TextRun } from './sse.ts'

export interface SseReaderOptions extends ReaderOptions {
  /** We asked for usage in the client's stead: only whole frames are passed on, and not the one with it. */
  readonly askedUsage: boolean
  /** True while nobody looks at texts or frames: then the rest of a run of texts is left unread. */
  readonly skim?: () => boolean
}

/** Reads a stream of server-sent events: framed before the write, parsed and observed after it. */
export class SseReader implements ReplyReader {
  ended = false
  readonly #options: SseReaderOptions
  readonly #framer = new Framer()
  /** Frames, and runs of texts as one. */
  #unread: Frame[] = []
  #textRun: RegExp | null

  constructor(options: SseReaderOptions) {
    this.#options = options
    this.#textRun = options.skim ? options.format.textRun : null
  }

  get partial(): boolean {
    return this.#framer.skipped
  }

  push(chunk: Buffer): Passage {
    if (this.ended) return { pass: chunk, held: null }
    const blocks = this.#framer.push(chunk, this.#textRun)
    const last = this.#collect(blocks)
    this.ended = last >= 0
    if (this.#options.askedUsage) return this.#whole(blocks, last)
    const start = blocks[last]?.start
    if (start === undefined) return { pass: chunk, held: null }
    return { pass: start > 0 ? chunk.subarray(0, start) : null, held: chunk.subarray(start) }
  }

  observe(): void {
    const unread = this.#unread
    if (unread.length === 0) return
    this.#unread = []
    let frames: Frame[] = []
    for (const block of unread) {
      if (!(block instanceof TextRun)) frames.push(block)
      else {
        // Only now is it known what its first piece was, and who looks at more of them.
        this.#read(frames)
        frames = this.#skims ? [] : block.frames()
      }
    }
    this.#read(frames)
    if (this.ended) this.#options.terminal()
  }

  async end(): Promise<Uint8Array | null> {
    if (this.ended) return null
    const rest = this.#options.askedUsage ? this.#framer.rest() : null
    const frame = this.#framer.end()
    if (frame) {
      this.ended = this.#isTerminal(frame)
      this.#unread.push(frame)
      this.observe()
    }
    return frame && rest && isAskedUsage(frame) ? null : rest
  }

  finish(): readonly InterceptionEvent[] {
    return this.#options.round.finish()
  }

  verdict(): Verdict {
    return this.#options.round.verdict()
  }

  get #skims(): boolean {
    const { round, skim } = this.#options
    if (!round.toldText) return false
    const skims = skim?.() ?? false
    // Who looks at one run will look at the next.
    if (!skims) this.#textRun = null
    return skims
  }

  #read(frames: readonly Frame[]): void {
    const { round, emit, frame: tell } = this.#options
    for (const frame of frames) tell(frame)
    emit(round.read(...frames))
  }

  /** Keeps what is to be read, up to the terminal frame, and gives that block's index, or -1. */
  #collect(blocks: readonly Block[]): number {
    for (let at = 0; at < blocks.length; at++) {
      const block = blocks[at] as Block
      if (block.frame === null && !(block instanceof TextRun)) continue
      this.#unread.push(block)
      if (block.frame && this.#isTerminal(block.frame)) return at
    }
    return -1
  }

  /** Whole blocks only, less the usage that we asked for; once the reply has ended, all that is there. */
  #whole(blocks: readonly Block[], last: number): Passage {
    const before = last < 0 ? blocks : blocks.slice(0, last)
    const shown = before.filter(({ frame }) => frame === null || !isAskedUsage(frame))
    const bytes = (part: readonly Block[]) => part.map((block) => block.bytes)
    const pass = bytes(shown)
    const held = last < 0 ? [] : [...bytes(blocks.slice(last)), this.#framer.rest()]
    return {
      pass: pass.length > 0 ? Buffer.concat(pass) : null,
      held: held.length > 0 ? Buffer.concat(held) : null,
    }
  }

  #isTerminal(frame: Frame): boolean {
    return this.#options.format.isTerminal(frame)
  }
}
