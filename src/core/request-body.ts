import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'
import { messageOf, SluiceError } from './errors.ts'
import { headerValues } from './headers.ts'

export interface RequestBody {
  readonly bytes: Buffer
  /** The body was compressed and is not any more: its `content-encoding` no longer holds. */
  readonly decoded: boolean
}

type Decoder = (bytes: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
])

/**
 * The whole body, decoded. Behind a body parser its `rawBody` is used: a body that was parsed can't be written
 * again byte for byte. Throws 413, 415, 400 and `ERR_BODY_CONSUMED`.
 */
export async function readRequestBody(
  request: IncomingMessage,
  rawBody: unknown,
  maxBytes: number,
): Promise<RequestBody> {
  if (request.readableDidRead || request.readableEnded) return parsedBefore(rawBody, maxBytes)
  const encodings = encodingsOf(request)
  if (encodings.length === 0) return { bytes: await collect(request, maxBytes), decoded: false }
  const unknown = encodings.find((name) => !decoders.has(name))
  if (unknown !== undefined || encodings.length > 3) {
    throw new SluiceError(
      `content-encoding "${unknown ?? encodings.join(', ')}" is not read here: send ${[...decoders.keys()].join(', ')} or none`,
      { code: 'ERR_BODY_ENCODING', status: 415 },
    )
  }
  let bytes = await collect(request, maxBytes)
  for (const encoding of encodings.toReversed()) bytes = await decode(bytes, encoding, maxBytes)
  return { bytes, decoded: true }
}

function encodingsOf({ headers, rawHeaders }: IncomingMessage): readonly string[] {
  if (headers['content-encoding'] === undefined) return none
  return headerValues(rawHeaders, 'content-encoding')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
}

const none: readonly string[] = []

function parsedBefore(rawBody: unknown, maxBytes: number): RequestBody {
  if (typeof rawBody !== 'string' && !Buffer.isBuffer(rawBody)) {
    throw new SluiceError(
      'ERR_BODY_CONSUMED: mount the gateway before the body parser, or use one that keeps `rawBody`',
      { code: 'ERR_BODY_CONSUMED', status: 500 },
    )
  }
  const bytes = Buffer.from(rawBody as string)
  if (bytes.length > maxBytes) throw tooLarge(maxBytes)
  return { bytes, decoded: true }
}

function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(tooLarge(maxBytes))
    const chunks: Buffer[] = []
    let length = 0
    // The request lives as long as its reply, and its listeners would keep the body that long.
    const leave = () => request.off('data', data).off('end', end).off('close', close)
    const data = (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBytes) return void chunks.push(chunk)
      request.pause()
      leave()
      reject(tooLarge(maxBytes))
    }
    const end = () => {
      leave()
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
    }
    // Comes after any error.
    const close = () => {
      leave()
      reject(cutShort(request.errored))
    }
    request.on('data', data).on('end', end).on('close', close).on('error', ignore)
  })
}

function ignore(): void {}

async function decode(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  try {
    return (await decoders.get(encoding)?.(bytes, { maxOutputLength: maxBytes })) ?? bytes
  } catch (cause) {
    const { code } = cause as { code?: string }
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new SluiceError(`the request body is no valid ${encoding}: ${messageOf(cause)}`, {
      code: 'ERR_BODY_ENCODING',
      status: 400,
    })
  }
}

function tooLarge(maxBytes: number): SluiceError {
  const size = maxBytes >= 1048576 ? `${maxBytes / 1048576} MiB` : `${maxBytes} bytes`
  return new SluiceError(
    `the request body is larger than the ${size} allowed here: send less, or raise max-body-size`,
    { code: 'ERR_BODY_TOO_LARGE', status: 413 },
  )
}

function cutShort(cause: unknown): SluiceError {
  return new SluiceError('the request body broke off', { code: 'ERR_BODY_CUT', status: 400, cause })
}
