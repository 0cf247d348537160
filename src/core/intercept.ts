import type { Context } from 'koa'
import { ClientConnection } from './client-connection.ts'
import { messageOf, SluiceError } from './errors.ts'
import { Exchange } from './exchange.ts'
import type { Format } from './format.ts'
import type { Initiator } from './interception.ts'
import type { Lease } from './mcp/pool.ts'
import {
  inlineBytes,
  type RequestRead,
  type RequestToRead,
  readRequestOffThread,
} from './off-thread.ts'
import { replyWithSluiceError } from './own-reply.ts'
import { passThrough, rawBodyOf } from './passthrough.ts'
import type { Provider } from './provider.ts'
import { readRequest } from './read-request.ts'
import { type RequestBody, readRequestBody } from './request-body.ts'
import type { Runtime } from './runtime.ts'
import { RequestTrace } from './tracing/request-trace.ts'
import type { Tracing } from './tracing/tracing.ts'

export interface InterceptOptions {
  readonly ctx: Context
  readonly provider: Provider
  readonly format: Format
  /** Without `/v1`. */
  readonly path: string
  readonly search: string
  readonly initiator: Initiator
  /** By `performance.now()`. */
  readonly arrivedAt: number
}

/** Serves one request of an intercepted route: read, recorded, sent upstream, its reply relayed. */
export async function intercept(options: InterceptOptions, runtime: Runtime): Promise<void> {
  const client = new ClientConnection(options.ctx.res)
  const trace = runtime.tracing && traceOf(options, runtime.tracing)
  const tools = acquired(options, client, runtime, trace)
  // Only what is still needed outlives the call: the body is let go when the reply's headers are in.
  const start = () => begin(options, { client, trace, tools }, runtime)
  try {
    const begun = await (trace ? trace.within(start) : start())
    await begun.finished
  } finally {
    void tools?.then(
      ({ release }) => release(),
      () => {},
    )
    trace?.end()
  }
}

function traceOf({ ctx, initiator, provider }: InterceptOptions, tracing: Tracing): RequestTrace {
  const { rawHeaders: headers, url = '' } = ctx.req
  const [path = ''] = url.split('?')
  return new RequestTrace(tracing, { headers, path, initiator, provider: provider.name })
}

/** The initiator's tools are fetched while the body is read; null where there are none. */
function acquired(
  { initiator }: InterceptOptions,
  client: ClientConnection,
  { injectedTools }: Runtime,
  trace: RequestTrace | null,
): Promise<Lease> | null {
  const lease =
    injectedTools?.acquire(initiator, initiator.apiKeyId ?? '', client.signal, trace?.acquire) ??
    null
  trace?.acquiring(lease)
  // Whoever waits for it hears of a failure; nobody may.
  lease?.catch(() => {})
  return lease
}

interface Begin {
  readonly client: ClientConnection
  readonly trace: RequestTrace | null
  readonly tools: Promise<Lease> | null
}

async function begin(
  options: InterceptOptions,
  { client, trace, tools }: Begin,
  runtime: Runtime,
): Promise<{ finished: Promise<void> }> {
  const { ctx, format } = options
  try {
    const askedAt = performance.now()
    const body = await readRequestBody(ctx.req, rawBodyOf(ctx), runtime.settings.maxBodySize)
    // The client's own time is not the gateway's.
    const busySince = options.arrivedAt + (performance.now() - askedAt)
    const { rawHeaders: headers } = ctx.req
    const { clientRules: rules } = runtime
    const { bytes } = body
    const asked = { format: format.name, bytes, headers, rules, traced: trace?.wanted }
    const read = bytes.length > inlineBytes ? await readLarge(asked) : readRequest(asked)
    if (!read) throw badJson(body)
    const { summary, client: identity, traced } = read
    if (summary.background) {
      trace?.notCreated(null)
      return {
        finished: passThrough({ ...options, root: false, label: options.path, body }, runtime),
      }
    }
    const facts = { summary, identity, body, busySince, trace, traced }
    const exchange = new Exchange(options, facts, client, runtime)
    return await exchange.start(body, tools)
  } catch (error) {
    trace?.notCreated(messageOf(error))
    if (!(error instanceof SluiceError)) throw error
    if (!client.gone) {
      runtime.diagnostics.count('refused', { reason: refusalReason(error) })
      replyWithSluiceError(ctx.res, format, error)
    }
    return { finished: Promise.resolve() }
  }
}

async function readLarge(request: RequestToRead): Promise<RequestRead> {
  const read = await readRequestOffThread(request)
  return read === undefined ? readRequest(request) : read
}

function badJson({ bytes }: RequestBody): SluiceError {
  const what = bytes.length === 0 ? 'is empty' : 'is not a JSON object'
  return new SluiceError(`the request body ${what}: send one JSON object`, {
    code: 'ERR_BAD_JSON',
    status: 400,
  })
}

function refusalReason({ code }: SluiceError): string {
  const reasons: Readonly<Record<string, string>> = {
    ERR_BAD_JSON: 'bad_json',
    ERR_BODY_TOO_LARGE: 'too_large',
    ERR_BODY_ENCODING: 'encoding',
    ERR_BODY_CUT: 'body_cut',
    ERR_BODY_CONSUMED: 'body_consumed',
  }
  return reasons[code] ?? 'other'
}
