import { jsonGap } from './logger.ts'

/** Lines that a file did not take: the next that it takes come behind one that tells of the gap. */
export class FileGap {
  #lines = 0

  lost(lines: number): void {
    this.#lines += lines
  }

  /** What to write in place of these bytes. */
  before(bytes: Buffer): Buffer {
    if (this.#lines === 0) return bytes
    // A disk that is full may have taken the beginning of a line.
    return Buffer.concat([Buffer.from(`\n${jsonGap(this.#lines)}`), bytes])
  }

  /** It was written. */
  told(): void {
    this.#lines = 0
  }
}
