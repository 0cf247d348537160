import { SluiceError } from '../core/errors.ts'

export interface Line {
  /** From 1. */
  readonly line: number
  readonly text: string
}

/** More is no line of ours, and cannot be held as one text. */
const longest = 256 * 1024 ** 2

/**
 * The lines of a UTF-8 text that comes in pieces. They end at a line feed alone: JSON may hold U+2028, which
 * Node's readline takes for the end of one.
 */
export async function* lines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void> {
  let pieces: Uint8Array[] = []
  let line = 0
  let size = 0
  const take = () => {
    const text = Buffer.concat(pieces).toString('utf8')
    pieces = []
    line++
    // Some editors put a mark at a file's beginning.
    return { line, text: line === 1 ? text.replace(/^\uFEFF/, '') : text }
  }
  for await (const chunk of input) {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      pieces.push(chunk.subarray(from, end))
      yield take()
      from = end + 1
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from))
    size = (from === 0 ? size : 0) + chunk.length - from
    if (size > longest)
      throw new SluiceError(`line ${line + 1} is longer than 256 MiB: this is no export`, {
        code: 'ERR_IMPORT',
      })
  }
  if (pieces.length > 0) yield take()
}
