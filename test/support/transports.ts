import assert from 'node:assert/strict'
import { SluiceError } from '../../src/core/errors.ts'
import { gotTransport } from '../../src/core/transports/got.ts'
import { undiciTransport } from '../../src/core/transports/undici.ts'
import type { Reply, Transport, UpstreamRequest } from '../../src/core/upstream.ts'
import { type RawRequest, type RawUpstream, rawUpstream } from './raw-http.ts'

/** Both implementations of the upstream call, which pass one suite. */
export const transports: {
  undici: typeof undiciTransport
  got: typeof gotTransport
} = { undici: undiciTransport, got: gotTransport }

export type MakeTransport = (typeof transports)[keyof typeof transports]

/** A POST with a small body, unless told otherwise. */
export function request(url: URL, changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'POST',
    url,
    headers: ['content-type', 'text/plain'],
    body: changes.method === 'GET' || changes.method === 'HEAD' ? null : Buffer.from('ping'),
    signal: new AbortController().signal,
    ...changes,
  }
}

export interface ReadReply extends Omit<Reply, 'body'> {
  readonly body: string
  readonly end: 'clean' | 'error'
}

/** Reads a reply to its end, however it ends; the body as latin-1. */
export async function read({ body, ...head }: Reply): Promise<ReadReply> {
  const chunks: Buffer[] = []
  const end = await new Promise<ReadReply['end']>((resolve) => {
    body.on('data', (chunk: Buffer) => chunks.push(chunk))
    body.once('end', () => resolve('clean')).once('error', () => resolve('error'))
  })
  return { ...head, body: Buffer.concat(chunks).toString('latin1'), end }
}

/** The `SluiceError` that a call must be rejected with. */
export async function fault(sending: Promise<Reply>): Promise<SluiceError> {
  const error = await sending.then(
    () => assert.fail('no rejection'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof SluiceError, String(error))
  return error
}

/** Runs with a raw upstream and a transport, and takes both down whatever happens. */
export async function withUpstream(
  make: (upstream: URL) => Transport,
  answer: (request: RawRequest) => unknown,
  run: (url: URL, transport: Transport, upstream: RawUpstream) => Promise<void>,
): Promise<void> {
  const upstream = await rawUpstream(answer)
  const transport = make(upstream.url)
  try {
    await run(new URL('/v1/messages?beta=true&x=%20', upstream.url), transport, upstream)
  } finally {
    await transport.close()
    await upstream.close()
  }
}

/** What the upstream saw of each of the requests, sent one after the other. */
export async function requestsOf(
  make: MakeTransport,
  changes: readonly Partial<UpstreamRequest>[],
): Promise<readonly RawRequest[]> {
  let seen: readonly RawRequest[] = []
  await withUpstream(
    () => make(),
    ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
    async (url, transport, { requests }) => {
      for (const change of changes) await read(await transport.send(request(url, change)))
      seen = requests
    },
  )
  return seen
}

/** A request's header list without what its transport set. */
export function endToEnd({ headers }: Pick<RawRequest, 'headers'>): string[] {
  const set = /^(host|connection|content-length|transfer-encoding)$/i
  return headers.filter((_, i) => !set.test(headers[i - (i % 2)] as string))
}
