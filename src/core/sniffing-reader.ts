import type { InterceptionEvent } from './events.ts'
import type { Round, Verdict } from './format.ts'
import { LateRound } from './late-round.ts'
import type { Passage, ReplyReader } from './reply-reader.ts'

export interface SniffingReaderOptions {
  /** What the headers say. */
  readonly streaming: boolean
  readonly create: (streaming: boolean) => { readonly reader: ReplyReader; readonly round: Round }
}

/**
 * Reads a reply by its first bytes where its headers are no sure word: servers send streams under no name or another
 * one, and their refusals, which are JSON, as streams.
 */
export class SniffingReader implements ReplyReader {
  readonly round: LateRound = new LateRound()
  readonly #options: SniffingReaderOptions
  #reader: ReplyReader | undefined

  constructor(options: SniffingReaderOptions) {
    this.#options = options
  }

  get ended(): boolean {
    return this.#reader?.ended ?? false
  }

  get partial(): boolean {
    return this.#reader?.partial ?? false
  }

  push(chunk: Buffer): Passage {
    // White space before the first word means nothing in either.
    if (!this.#reader && isBlank(chunk)) return { pass: chunk, held: null }
    return this.#chosen(chunk).push(chunk)
  }

  observe(): void {
    this.#reader?.observe()
  }

  async end(): Promise<Uint8Array | null> {
    return this.#chosen().end()
  }

  finish(): readonly InterceptionEvent[] {
    return this.#chosen().finish()
  }

  verdict(): Verdict {
    return this.#chosen().verdict()
  }

  #chosen(first: Buffer = nothing): ReplyReader {
    if (this.#reader) return this.#reader
    const { streaming, create } = this.#options
    const { reader, round } = create(streaming ? !isJson(first) : isStream(first))
    this.round.begin(round)
    this.#reader = reader
    return reader
  }
}

const nothing = Buffer.alloc(0)

/** The first word may be cut: so much of it as came. */
function isStream(chunk: Buffer): boolean {
  const [word = ''] = /^[^:\r\n]*:?/.exec(opening(chunk)) ?? []
  return word !== '' && streamWords.some((known) => known.startsWith(word))
}

const streamWords: readonly string[] = [':', 'data:', 'event:', 'id:', 'retry:']

function isJson(chunk: Buffer): boolean {
  return /^[{[]/.test(opening(chunk))
}

function isBlank(chunk: Buffer): boolean {
  return opening(chunk) === ''
}

/** Less white space and a byte order mark, which `trimStart` takes for such. */
function opening(chunk: Buffer): string {
  return chunk.toString('utf8', 0, 256).trimStart()
}
