import { appendFile, appendFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { messageOf, SluiceError } from '../core/errors.ts'
import { FileGap } from './file-gap.ts'

/** Lines that come so soon after others go together: opening a file costs more than writing to it. */
export const gatherMs = 20

/**
 * Appends to a file that is opened anew for each write: it may be rotated away, and a disk that was full may
 * have room again. Lines that come while one is written go together. Throws where the file can't be written now.
 */
export function logFile(path: string, onDrop: (reason: string) => void): Writable {
  try {
    appendFileSync(path, '', { mode: 0o600 })
  } catch (error) {
    throw new SluiceError(`cannot write the structured-log-file: ${messageOf(error)}`, {
      code: 'ERR_LOG_FILE',
      cause: error,
    })
  }

  const gap = new FileGap()

  function append(lines: readonly Buffer[], done: () => void): void {
    // Whoever waits for the end writes nothing at all.
    const full = lines.filter(({ length }) => length > 0)
    if (full.length === 0) return done()
    appendFile(path, gap.before(Buffer.concat(full)), { mode: 0o600 }, (error) => {
      if (error) {
        gap.lost(full.length)
        for (const _ of full) onDrop(error.code ?? 'error')
      } else gap.told()
      // The fault is not told to the stream, which would take nothing more.
      setTimeout(done, gatherMs)
    })
  }

  return new Writable({
    write: (line: Buffer, _encoding, done) => append([line], done),
    writev: (lines, done) =>
      append(
        lines.map(({ chunk }) => chunk as Buffer),
        done,
      ),
  })
}
