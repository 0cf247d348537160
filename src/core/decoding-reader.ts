import type { Transform } from 'node:stream'
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib'
import type { InterceptionEvent } from './events.ts'
import type { Verdict } from './format.ts'
import type { Passage, ReplyReader } from './reply-reader.ts'

const decoders: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
])

/** What decodes a `content-encoding`; undefined where it is none, or none that is known. */
export function decoderOf(encoding: string): Transform | undefined {
  return decoders.get(encoding.trim().toLowerCase())?.()
}

/** Bounds of what is decoded for the observers: all in all, and against what came. */
const maxDecoded = 64 * 1024 * 1024
const maxRatio = 200

/**
 * Reads a reply that the upstream compressed all the same: its bytes pass as they are, a decoded copy goes to
 * the reader inside. Past a bound, or with an encoding that can't be read, observers stand down.
 */
export class DecodingReader implements ReplyReader {
  readonly #inner: ReplyReader
  readonly #decoder: Transform | undefined
  #stoodDown = false
  #received = 0
  #decoded = 0

  constructor(encoding: string, inner: ReplyReader) {
    this.#inner = inner
    this.#decoder = decoderOf(encoding)
    this.#stoodDown = this.#decoder === undefined
    this.#decoder?.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#decoder?.on('error', () => this.#standDown())
  }

  get ended(): boolean {
    return this.#inner.ended
  }

  get partial(): boolean {
    return this.#stoodDown || this.#inner.partial
  }

  push(chunk: Buffer): Passage {
    this.#received += chunk.length
    if (this.#decoder?.writable) this.#decoder.write(chunk)
    return { pass: chunk, held: null }
  }

  observe(): void {}

  async end(): Promise<null> {
    const decoder = this.#decoder
    // Once the terminal frame was read it is closed already; it also closes, late, on a fault.
    if (decoder && !decoder.destroyed) {
      await new Promise((resolve) => decoder.once('close', resolve).end())
    }
    // Half a body would be read as a broken one.
    if (!this.#stoodDown) await this.#inner.end()
    return null
  }

  finish(): readonly InterceptionEvent[] {
    this.#decoder?.destroy()
    return this.#inner.finish()
  }

  verdict(): Verdict {
    return this.#inner.verdict()
  }

  #read(chunk: Buffer): void {
    this.#decoded += chunk.length
    const most = Math.min(maxDecoded, Math.max(1024 * 1024, this.#received * maxRatio))
    if (this.#decoded > most) return this.#standDown()
    this.#inner.push(chunk)
    this.#inner.observe()
  }

  #standDown(): void {
    this.#stoodDown = true
    this.#decoder?.destroy()
  }
}
