import { Writable } from 'node:stream'
import got, { HTTPError } from 'got'

export interface HttpLinesOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** A JSON line each, or one JSON list a batch. */
  readonly body: 'ndjson' | 'json'
  /** For one try, in ms. */
  readonly timeout: number
  readonly onDrop: (reason: string) => void
}

/** What one request may have: stores refuse larger ones whole. */
const maxBatchBytes = 1024 ** 2
const maxBatchLines = 500
const tries = 5

/** Posts lines in batches, one request at a time: what comes meanwhile is the next one. */
export function httpLines({ url, headers, body, timeout, onDrop }: HttpLinesOptions): Writable {
  const type = body === 'json' ? 'application/json' : 'application/x-ndjson'

  const ended = new AbortController()

  async function post(batch: readonly Buffer[]): Promise<void> {
    try {
      await got.post(url, {
        headers: { 'user-agent': 'sluice', ...headers, 'content-type': type },
        body: body === 'json' ? listOf(batch) : Buffer.concat(batch),
        timeout: { request: timeout },
        followRedirect: false,
        signal: ended.signal,
        // POST is not tried again unless it is named; a batch may come twice, a line has its record's id.
        retry: { limit: tries - 1, methods: ['POST'], maxRetryAfter: 30_000, backoffLimit: 30_000 },
      })
    } catch (error) {
      const reason = error instanceof HTTPError ? `http_${error.response.statusCode}` : 'http'
      for (const _ of batch) onDrop(reason)
    }
  }

  async function postAll(lines: readonly Buffer[]): Promise<void> {
    for (const batch of batches(lines)) await post(batch)
  }

  return new Writable({
    write: (line: Buffer, _encoding, done) => void postAll([line]).then(() => done()),
    destroy: (error, done) => {
      ended.abort()
      done(error)
    },
    writev: (lines, done) =>
      void postAll(lines.map(({ chunk }) => chunk as Buffer)).then(() => done()),
  })
}

function* batches(lines: readonly Buffer[]): Iterable<Buffer[]> {
  let batch: Buffer[] = []
  let bytes = 0
  for (const line of lines) {
    // Whoever waits for the end writes nothing at all.
    if (line.length === 0) continue
    if (
      batch.length > 0 &&
      (bytes + line.length > maxBatchBytes || batch.length >= maxBatchLines)
    ) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(line)
    bytes += line.length
  }
  if (batch.length > 0) yield batch
}

function listOf(batch: readonly Buffer[]): string {
  return `[${batch.map((line) => line.toString().trimEnd()).join(',')}]`
}
