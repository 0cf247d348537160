import { appendFile, appendFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { messageOf, SluiceError } from '../core/errors.ts'

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

  function append(bytes: Buffer, done: () => void): void {
    appendFile(path, bytes, { mode: 0o600 }, (error) => {
      if (error) onDrop(error.code ?? 'error')
      // Not told to the stream, which would take nothing more.
      done()
    })
  }

  return new Writable({
    write: (bytes: Buffer, _encoding, done) => append(bytes, done),
    writev: (lines, done) => append(Buffer.concat(lines.map(({ chunk }) => chunk as Buffer)), done),
  })
}
