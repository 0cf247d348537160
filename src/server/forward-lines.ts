import type { Readable, Writable } from 'node:stream'

const longest = 8 * 1024 ** 2
const lineEnd = 0x0a

/** Passes whole lines on, so that lines of several processes don't mix. Reads always: nobody may wait for a log. */
export function forwardLines(from: Readable, to: Writable): void {
  let parts: Buffer[] = []
  let bytes = 0

  function pass(): void {
    if (bytes > 0) to.write(Buffer.concat(parts))
    parts = []
    bytes = 0
  }

  from.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(lineEnd) + 1
    if (end > 0) {
      parts.push(chunk.subarray(0, end))
      bytes += end
      pass()
    }
    if (end < chunk.length) {
      parts.push(chunk.subarray(end))
      bytes += chunk.length - end
      if (bytes > longest) pass()
    }
  })
  from.on('end', () => {
    // Of a process that was killed amid a line.
    if (bytes > 0) parts.push(Buffer.from('\n'))
    pass()
  })
  from.on('error', () => {})
}
