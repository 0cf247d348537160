import { createParser } from 'eventsource-parser'
import { ChunkText } from './chunk-text.ts'

/** One server-sent event with its very bytes, or a whole JSON body. */
export interface Frame {
  /** The `event:` field; empty where there is none and for a JSON body. */
  readonly event: string
  /** The `data:` lines joined with a line feed, or the JSON body's text. */
  readonly data: string
  /** The bytes as they came. */
  readonly bytes: Uint8Array
}

/** What lies between two blank lines: a frame, or comments and other lines that are no event. */
export class Block implements Frame {
  /** Where its bytes begin in the chunk that completed it; 0 where they began in an earlier chunk. */
  readonly start: number
  /** This block as a frame; null where it is no event, or too long to be read. */
  readonly frame: Frame | null
  readonly event: string
  readonly data: string
  readonly #source: Buffer
  readonly #from: number
  readonly #to: number

  constructor(start: number, fields: Fields | null, source: Buffer, from: number, to: number) {
    this.start = start
    this.frame = fields ? this : null
    this.event = fields?.event ?? ''
    this.data = fields?.data ?? ''
    this.#source = source
    this.#from = from
    this.#to = to
  }

  /** A view of the bytes: made when asked for, since hardly anyone does. */
  get bytes(): Uint8Array {
    return this.#source.subarray(this.#from, this.#to)
  }
}

/** Blocks on end that need not be read where nobody looks at texts: more pieces of what the block before them began. */
export class TextRun extends Block {
  constructor(start: number, source: Buffer, to: number) {
    super(start, null, source, start, to)
  }

  /** What was put off: the frames in it. */
  frames(): Frame[] {
    const { bytes } = this
    const blocks = new Framer().push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    return blocks.flatMap(({ frame }) => frame ?? [])
  }
}

interface Fields {
  readonly event?: string | undefined
  readonly data: string
}

const LF = 10
const CR = 13
const blankLine = Buffer.from('\n\n')

/**
 * Finds the borders of server-sent events in a stream of bytes and reads each event's fields. Borders are
 * looked for in the bytes (line ends are ASCII, so no character is cut); eventsource-parser reads the fields,
 * because it gives no byte offsets.
 */
export class Framer {
  /** True once a frame was too long to be read: it was passed over. */
  skipped = false
  readonly #maxFrame: number
  readonly #parser = createParser({
    onEvent: (event) => {
      this.#event = event
    },
  })
  #event: Fields | undefined
  #carry: Buffer[] = []
  #carried = 0
  #skipping = false
  #first = true
  /** Scanner state at the end of the last chunk: at the start of a line; right behind a CR. */
  #lineStart = true
  #afterCr = false

  constructor(maxFrame: number = 8 * 1024 * 1024) {
    this.#maxFrame = maxFrame
  }

  /**
   * The blocks that this chunk completes; every byte ends up in one block or in `rest()`. `textRun`: a format's, if
   * its runs are to be left unread.
   */
  push(chunk: Buffer, textRun: RegExp | null = null): Block[] {
    const blocks: Block[] = []
    const hasCr = this.#afterCr || chunk.includes(CR)
    const text = hasCr ? null : ChunkText.of(chunk)
    let start = 0
    while (start < chunk.length) {
      const border = hasCr ? this.#slowBorder(chunk, start) : this.#fastBorder(chunk, start, text)
      if (border < 0) break
      const block = this.#block(chunk, start, border, text?.take(start, border))
      blocks.push(block)
      const run = textRun && block.frame ? text?.endOfRun(textRun, start, border) : undefined
      if (run !== undefined) blocks.push(new TextRun(border, chunk, run))
      start = run ?? border
    }
    if (start < chunk.length) this.#keep(chunk, start, blocks)
    return blocks
  }

  /** At the end of the stream: what came without a last blank line. */
  end(): Frame | null {
    if (this.#carry.length === 0) return null
    const bytes = this.#take()
    const fields = this.#parse(`${bytes.toString('utf8')}\n\n`)
    return new Block(0, fields, bytes, 0, bytes.length).frame
  }

  /** The bytes that have come and belong to no complete block yet. */
  rest(): Uint8Array {
    return Buffer.concat(this.#carry)
  }

  #block(chunk: Buffer, start: number, end: number, text: string | undefined): Block {
    const whole = this.#carry.length === 0
    const source = whole ? chunk : Buffer.concat([this.#take(), chunk.subarray(start, end)])
    const from = whole ? start : 0
    const to = whole ? end : source.length
    const unread = this.#skipping || to - from > this.#maxFrame
    this.skipped ||= unread
    this.#skipping = false
    const read = whole ? text : undefined
    const fields = unread ? null : this.#parse(read ?? source.toString('utf8', from, to))
    return new Block(start, fields, source, from, to)
  }

  #keep(chunk: Buffer, start: number, blocks: Block[]): void {
    this.#carry.push(start === 0 ? chunk : chunk.subarray(start))
    this.#carried += chunk.length - start
    if (!this.#skipping && this.#carried <= this.#maxFrame) return
    // Too long to be read: its bytes pass as blocks without a frame, up to its blank line.
    this.#skipping = true
    this.skipped = true
    const bytes = this.#take()
    blocks.push(new Block(start, null, bytes, 0, bytes.length))
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#carry)
    this.#carry = []
    this.#carried = 0
    return bytes
  }

  #parse(read: string): Fields | null {
    let text = read
    if (this.#first) {
      this.#first = false
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    }
    this.#event = undefined
    // The parser waits behind a last CR for the LF that may follow; the border is found, so give it one.
    this.#parser.feed(text.endsWith('\r') ? `${text}\n` : text)
    return this.#event ?? null
  }

  /** The index behind the next blank line at or after `from`, or -1; for chunks without a CR. */
  #fastBorder(chunk: Buffer, from: number, text: ChunkText | null): number {
    if (this.#lineStart && chunk[from] === LF) return from + 1
    const index = text ? text.blankLine(from) : chunk.indexOf(blankLine, from)
    this.#lineStart = index >= 0 || chunk[chunk.length - 1] === LF
    return index < 0 ? -1 : index + 2
  }

  /** The same where a line may also end with CR or CRLF. */
  #slowBorder(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false
      } else if (byte === LF || byte === CR) {
        this.#afterCr = byte === CR
        if (this.#lineStart) {
          if (byte === CR && chunk[at + 1] === LF) {
            this.#afterCr = false
            return at + 2
          }
          return at + 1
        }
        this.#lineStart = true
      } else {
        this.#afterCr = false
        this.#lineStart = false
      }
    }
    return -1
  }
}
