import { Readable } from 'node:stream'
import { messageOf, SluiceError } from '../errors.ts'
import { filterHeaders } from '../headers.ts'
import { isObject, parseJson } from '../json.ts'
import type { Reply } from '../upstream.ts'
import type { RoundLoop } from './round-loop.ts'

/** Past this a body is passed on unread. */
const maxBytes = 32 * 1024 * 1024

/** Runs all rounds of a reply that does not stream. Where the model calls none of our tools it is the upstream's own. */
export async function wholeRounds(
  loop: RoundLoop,
  first: Reply,
  idleTimeout: number,
): Promise<{ readonly reply: Reply; readonly read: boolean }> {
  let reply = first
  let edited = false
  try {
    for (;;) {
      const read = await readBody(reply, loop.limit, idleTimeout)
      if (read.rest) return { reply: { ...reply, body: read.rest }, read: false }
      const { bytes } = read
      const { observer, merger } = loop
      const frame = { event: '', data: bytes.toString(), bytes }
      observer.begin({ streaming: false, status: reply.status })
      observer.note(frame)
      const body = reply.status < 400 ? parseJson(frame.data) : undefined
      // A refusal, or what can't be read, is the upstream's last word.
      if (!isObject(body)) return { reply: { ...reply, body: bodyOf(bytes) }, read: true }
      merger.body(body)
      edited ||= merger.calls.length > 0
      if (!loop.goesOn) {
        if (loop.isMixed) await loop.runHidden(neverAborted)
        return {
          reply: edited ? merged(reply, merger.whole()) : { ...reply, body: bodyOf(bytes) },
          read: true,
        }
      }
      reply = await loop.next(neverAborted)
    }
  } catch (error) {
    throw loop.limit.aborted ? loop.limit.reason : error
  } finally {
    loop.close()
  }
}

const neverAborted = new AbortController().signal

function merged(reply: Reply, body: unknown): Reply {
  const bytes = Buffer.from(JSON.stringify(body))
  const headers = filterHeaders(reply.headers, (name) => name !== 'content-length')
  return {
    ...reply,
    headers: [...headers, 'content-length', String(bytes.length)],
    body: bodyOf(bytes),
  }
}

function bodyOf(bytes: Buffer): Readable {
  return Readable.from(bytes.length > 0 ? [bytes] : [])
}

type ReadBody = { readonly bytes: Buffer; readonly rest?: undefined } | { readonly rest: Readable }

/** All of it, or where that is too much a stream of what was read and what is left. */
async function readBody(
  { body }: Reply,
  limit: AbortSignal,
  idleTimeout: number,
): Promise<ReadBody> {
  const chunks: Buffer[] = []
  let length = 0
  const silent = () =>
    body.destroy(
      new SluiceError(`the upstream sent nothing for ${idleTimeout} ms`, {
        code: 'ERR_UPSTREAM_TIMEOUT',
        status: 504,
      }),
    )
  const timer = setTimeout(silent, idleTimeout)
  const giveUp = () => body.destroy(limit.reason as Error)
  limit.addEventListener('abort', giveUp)
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      timer.refresh()
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (length > maxBytes) return { rest: Readable.from(joined(chunks, body)) }
    }
    return { bytes: Buffer.concat(chunks) }
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause
    throw new SluiceError(`the upstream's reply broke off: ${messageOf(cause)}`, {
      code: 'ERR_UPSTREAM_CUT',
      status: 502,
      cause,
    })
  } finally {
    clearTimeout(timer)
    limit.removeEventListener('abort', giveUp)
  }
}

async function* joined(read: readonly Buffer[], rest: Readable): AsyncIterable<Buffer> {
  yield* read
  yield* rest as AsyncIterable<Buffer>
}
