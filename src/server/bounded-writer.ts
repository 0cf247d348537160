import { Writable } from 'node:stream'

export interface BoundedWriterOptions {
  /** Bytes that may wait; a line that would go past it is dropped. @default 8 MiB */
  readonly limit?: number
  /** The line that tells of a gap. */
  readonly gap?: (lines: number) => string
  /** Told of every line that was dropped, or refused by the target. */
  readonly onDrop?: (reason: string) => void
}

/**
 * Writes lines to a stream that may stall, break or be full, without ever waiting, throwing or growing.
 * A gap is told in the target by one line, as soon as there is room again.
 */
export function boundedWriter(
  target: Writable,
  { limit = 8 * 1024 ** 2, gap = textGap, onDrop = () => {} }: BoundedWriterOptions = {},
): Writable {
  let missing = 0
  // Without a listener a closed pipe or a full disk would end the process.
  target.on('error', (error: NodeJS.ErrnoException) => onDrop(error.code ?? 'error'))

  function put(line: Buffer): void {
    if (target.writableLength + line.length > limit) {
      drop('full')
      return
    }
    try {
      // A file as standard error is written at once, and throws.
      if (missing > 0) target.write(gap(missing))
      missing = 0
      target.write(line)
    } catch (error) {
      drop((error as NodeJS.ErrnoException).code ?? 'error')
    }
  }

  function drop(reason: string): void {
    missing++
    onDrop(reason)
  }

  return new Writable({
    write(line: Buffer, _encoding, done) {
      put(line)
      done()
    },
  })
}

const textGap = (lines: number) => `(${lines} lines left out: the log could not be written)\n`

/** Resolves when everything that was written has left, or when it evidently does not leave. */
export function flushed(target: Writable, patience = 1000): Promise<void> {
  if (target.writableLength === 0 || target.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience)
    target.write('', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
