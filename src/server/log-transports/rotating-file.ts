import { closeSync, openSync } from 'node:fs'
import { appendFile, rename, rm, stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { messageOf, SluiceError } from '../../core/errors.ts'
import { FileGap } from '../file-gap.ts'
import { gatherMs } from '../log-file.ts'

export interface RotatingFileOptions {
  readonly path: string
  /** In bytes: a file that would grow past it becomes `.1`. */
  readonly maxSize: number
  /** With the one that is written. */
  readonly maxFiles: number
  readonly onDrop: (reason: string) => void
}

/** Appends to a file and sets it aside when it is large. Throws where it can't be written now. */
export function rotatingFile({ path, maxSize, maxFiles, onDrop }: RotatingFileOptions): Writable {
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw new SluiceError(`cannot write the file of a log transport: ${messageOf(error)}`, {
      code: 'ERR_LOG_FILE',
      cause: error,
    })
  }

  const gap = new FileGap()

  async function append(given: readonly Buffer[]): Promise<void> {
    // Whoever waits for the end writes nothing at all.
    const lines = given.filter(({ length }) => length > 0)
    if (lines.length === 0) return
    try {
      const bytes = gap.before(Buffer.concat(lines))
      if ((await sizeOf(path)) + bytes.length > maxSize) await rotate()
      await appendFile(path, bytes, { mode: 0o600 })
      gap.told()
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'error'
      gap.lost(lines.length)
      for (const _ of lines) onDrop(reason)
    }
  }

  function gathered(lines: readonly Buffer[], done: () => void): void {
    void append(lines).then(() => setTimeout(done, gatherMs))
  }

  async function rotate(): Promise<void> {
    if (maxFiles === 1) return rm(path, { force: true })
    for (let at = maxFiles - 1; at > 1; at--) await moved(`${path}.${at - 1}`, `${path}.${at}`)
    await moved(path, `${path}.1`)
  }

  return new Writable({
    write: (line: Buffer, _encoding, done) => gathered([line], done),
    writev: (lines, done) =>
      gathered(
        lines.map(({ chunk }) => chunk as Buffer),
        done,
      ),
  })
}

async function sizeOf(path: string): Promise<number> {
  try {
    const { size } = await stat(path)
    return size
  } catch {
    return 0
  }
}

/** What is not there was moved by another worker, or never was. */
async function moved(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
