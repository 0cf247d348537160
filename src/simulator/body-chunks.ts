import { once } from 'node:events'
import {
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  createZstdCompress,
} from 'node:zlib'
import type { Misbehaviour } from './misbehaviour.ts'

type Chunks = Iterable<Uint8Array>

/** The body's writes, cut or joined as asked. */
export function rechunked(chunks: Chunks, { burst, split }: Misbehaviour): Chunks {
  if (split === undefined) return burst ? [Buffer.concat([...chunks])] : chunks
  const all = Buffer.concat([...chunks])
  const cuts = typeof split === 'number' ? multiplesOf(split, all.length) : split
  return [...cuts, all.length].map((end, index) => all.subarray(cuts[index - 1] ?? 0, end))
}

/** Each write compressed and flushed by itself, as a server that compresses a stream does. */
export async function* compressed(
  chunks: Chunks | AsyncIterable<Uint8Array>,
  encoding: NonNullable<Misbehaviour['encode']>,
): AsyncIterable<Uint8Array> {
  const { create, flush } = ENCODERS[encoding]
  const encoder = create()
  for await (const chunk of chunks) {
    encoder.write(chunk)
    await new Promise<void>((resolve) => encoder.flush(flush, resolve))
    const part: Buffer | null = encoder.read()
    if (part) yield part
  }
  encoder.end()
  if (!encoder.readable) await once(encoder, 'readable')
  for await (const part of encoder) yield part
}

const ENCODERS = {
  gzip: { create: createGzip, flush: constants.Z_SYNC_FLUSH },
  deflate: { create: createDeflate, flush: constants.Z_SYNC_FLUSH },
  br: { create: createBrotliCompress, flush: constants.BROTLI_OPERATION_FLUSH },
  zstd: { create: createZstdCompress, flush: constants.ZSTD_e_flush },
} as const

function multiplesOf(size: number, length: number): number[] {
  return Array.from({ length: Math.ceil(length / size) - 1 }, (_, index) => (index + 1) * size)
}
