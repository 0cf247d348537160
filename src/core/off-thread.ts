import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ClientIdentity } from './client.ts'
import type { ClientRule } from './client-rules.ts'
import type { InterceptionEvent } from './events.ts'
import type { ReplyOrigin, RequestSummary, Verdict } from './format.ts'
import type { FormatName } from './records.ts'
import type { RequestAttributes, RequestTraceOptions } from './tracing/request-attributes.ts'
import type { RawHeaders } from './upstream.ts'

/** Parsing more than this at once would hold up every other stream (29 MiB of dense JSON take 0.5 s). */
export const inlineBytes: number = 4 * 1024 * 1024

export interface ReplyToRead {
  readonly format: FormatName
  readonly bytes: Uint8Array
  readonly status: number
  readonly round: number
}

export interface RequestToRead {
  readonly format: FormatName
  readonly bytes: Uint8Array
  readonly headers: RawHeaders
  readonly rules: readonly ClientRule[]
  /** Where it is traced. */
  readonly traced?: RequestTraceOptions | undefined
}

export interface ReplyRead {
  readonly events: readonly InterceptionEvent[]
  readonly verdict: Verdict
  readonly origin: ReplyOrigin
}

/** Null where the body is not a JSON object. */
export type RequestRead = {
  readonly summary: RequestSummary
  readonly client: ClientIdentity
  readonly traced?: RequestAttributes
} | null

/** Reads a large blocking reply in a worker: only what it says comes back. Undefined where the worker failed. */
export function readReplyOffThread(reply: ReplyToRead): Promise<ReplyRead | undefined> {
  return ask({ kind: 'reply', ...reply }) as Promise<ReplyRead | undefined>
}

/** Reads a large request in a worker. Undefined where the worker failed. */
export function readRequestOffThread(request: RequestToRead): Promise<RequestRead | undefined> {
  return ask({ kind: 'request', ...request }) as Promise<RequestRead | undefined>
}

export type Job = { readonly id: number } & (
  | ({ readonly kind: 'reply' } & ReplyToRead)
  | ({ readonly kind: 'request' } & RequestToRead)
)

type Unnumbered = ({ kind: 'reply' } & ReplyToRead) | ({ kind: 'request' } & RequestToRead)

let worker: Worker | undefined
let jobs = 0
const waiting = new Map<number, (answer: unknown) => void>()

function ask(job: Unnumbered): Promise<unknown> {
  worker ??= start()
  worker.ref()
  const id = jobs++
  return new Promise((resolve) => {
    waiting.set(id, resolve)
    worker?.postMessage({ id, ...job })
  })
}

function start(): Worker {
  // tsc does not rewrite the extension in a URL: in `dist` it is `.js`.
  const started = new Worker(
    new URL(`./off-thread-worker${extname(import.meta.url)}`, import.meta.url),
  )
  started.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
    waiting.get(id)?.(answer)
    waiting.delete(id)
    if (waiting.size === 0) started.unref()
  })
  const failed = () => {
    if (worker !== started) return
    worker = undefined
    for (const resolve of waiting.values()) resolve(undefined)
    waiting.clear()
  }
  started.on('error', failed)
  started.on('exit', failed)
  return started
}
