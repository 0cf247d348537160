import { createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SluiceError } from '../core/errors.ts'

/** Writes a text to standard output, or whole or not at all to a file of its owner's alone. */
export async function writeOut(
  text: AsyncIterable<string> | Iterable<string>,
  path?: string,
): Promise<void> {
  const pieces = Readable.from(text, { highWaterMark: 1 })
  if (path === undefined) {
    try {
      await pipeline(pieces, process.stdout, { end: false })
    } catch (error) {
      // Whoever reads has seen enough (`| head`).
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    }
    return
  }
  const target = await existing(path)
  // Never put a file in the place of a pipe or a device.
  if (target.isSpecial) return pipeline(pieces, createWriteStream(path))
  const part = `${target.path}.part`
  try {
    await pipeline(pieces, createWriteStream(part, { mode: 0o600 }))
    await rename(part, target.path)
  } catch (error) {
    await rm(part, { force: true })
    throw isOfFile(error, part) ? unwritable(path, error) : error
  }
}

/** What is told may fail, too: that names itself. */
function isOfFile(error: unknown, part: string): error is NodeJS.ErrnoException {
  return error instanceof Error && 'path' in error && error.path === part
}

function unwritable(path: string, error: Error): SluiceError {
  return new SluiceError(
    `${path} cannot be written: name a file in a folder that this user can write (${error.message})`,
    { code: 'ERR_OUT', cause: error },
  )
}

/** What a path leads to: a link stays one. */
async function existing(path: string): Promise<{ path: string; isSpecial: boolean }> {
  try {
    const found = await stat(path)
    if (!found.isFile()) return { path, isSpecial: true }
    return { path: await realpath(path), isSpecial: false }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { path, isSpecial: false }
  }
}
