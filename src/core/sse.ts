import { createParser } from 'eventsource-parser'

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
export interface Block {
  readonly frame: Frame | null
  /** Where its bytes begin in the chunk that completed it; 0 where they began in an earlier chunk. */
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
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
  #event: { event?: string | undefined; data: string } | undefined
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

  /** The blocks that this chunk completes; every byte ends up in one block or in `rest()`. */
  push(chunk: Buffer): Block[] {
    const blocks: Block[] = []
    const next = this.#afterCr || chunk.includes(CR) ? this.#slowBorder : this.#fastBorder
    let start = 0
    while (start < chunk.length) {
      const border = next.call(this, chunk, start)
      if (border < 0) break
      blocks.push(this.#block(chunk, start, border))
      start = border
    }
    if (start < chunk.length) this.#keep(chunk, start, blocks)
    return blocks
  }

  /** At the end of the stream: what came without a last blank line. */
  end(): Frame | null {
    if (this.#carry.length === 0) return null
    const bytes = this.#take()
    return this.#parse(bytes, `${bytes.toString('utf8')}\n\n`)
  }

  /** The bytes that have come and belong to no complete block yet. */
  rest(): Uint8Array {
    return Buffer.concat(this.#carry)
  }

  #block(chunk: Buffer, start: number, end: number): Block {
    const part = chunk.subarray(start, end)
    const bytes = this.#carry.length === 0 ? part : Buffer.concat([this.#take(), part])
    const unread = this.#skipping || bytes.length > this.#maxFrame
    this.skipped ||= unread
    this.#skipping = false
    return { frame: unread ? null : this.#parse(bytes, bytes.toString('utf8')), start, end, bytes }
  }

  #keep(chunk: Buffer, start: number, blocks: Block[]): void {
    this.#carry.push(start === 0 ? chunk : chunk.subarray(start))
    this.#carried += chunk.length - start
    if (!this.#skipping && this.#carried <= this.#maxFrame) return
    // Too long to be read: its bytes pass as blocks without a frame, up to its blank line.
    this.#skipping = true
    this.skipped = true
    blocks.push({ frame: null, start, end: chunk.length, bytes: this.#take() })
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#carry)
    this.#carry = []
    this.#carried = 0
    return bytes
  }

  #parse(bytes: Buffer, read: string): Frame | null {
    let text = read
    if (this.#first) {
      this.#first = false
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    }
    this.#event = undefined
    // The parser waits behind a last CR for the LF that may follow; the border is found, so give it one.
    this.#parser.feed(text.endsWith('\r') ? `${text}\n` : text)
    const event = this.#event as { event?: string | undefined; data: string } | undefined
    return event ? { event: event.event ?? '', data: event.data, bytes } : null
  }

  /** The index behind the next blank line at or after `from`, or -1; for chunks without a CR. */
  #fastBorder(chunk: Buffer, from: number): number {
    if (this.#lineStart && chunk[from] === LF) return from + 1
    const index = chunk.indexOf(blankLine, from)
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
