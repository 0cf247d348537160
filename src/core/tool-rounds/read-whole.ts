import type { Readable } from 'node:stream'

/** The whole of a body; null, and the body destroyed, where it has more than `maxBytes`. */
export async function readWhole(body: Readable, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
