import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

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
  const part = `${path}.part`
  try {
    await pipeline(pieces, createWriteStream(part, { mode: 0o600 }))
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
