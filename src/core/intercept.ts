import type { Context } from 'koa'
import { ClientConnection } from './client-connection.ts'
import { SluiceError } from './errors.ts'
import { Exchange } from './exchange.ts'
import type { Format } from './format.ts'
import type { Initiator } from './interception.ts'
import { inlineBytes, type RequestRead, readRequestOffThread } from './off-thread.ts'
import { replyWithSluiceError } from './own-reply.ts'
import { passThrough, rawBodyOf } from './passthrough.ts'
import type { Provider } from './provider.ts'
import { readRequest } from './read-request.ts'
import { type RequestBody, readRequestBody } from './request-body.ts'
import type { Runtime } from './runtime.ts'

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
  // Only what is still needed outlives the call: the body is let go when the reply's headers are in.
  const begun = await begin(options, client, runtime)
  await begun.finished
}

async function begin(
  options: InterceptOptions,
  client: ClientConnection,
  runtime: Runtime,
): Promise<{ finished: Promise<void> }> {
  const { ctx, format } = options
  try {
    const askedAt = performance.now()
    const body = await readRequestBody(ctx.req, rawBodyOf(ctx), runtime.settings.maxBodySize)
    // The client's own time is not the gateway's.
    const busySince = options.arrivedAt + (performance.now() - askedAt)
    const { summary, client: identity } = await read(options, body, runtime)
    if (summary.background) {
      return {
        finished: passThrough({ ...options, root: false, label: options.path, body }, runtime),
      }
    }
    const exchange = new Exchange(options, { summary, identity, body, busySince }, client, runtime)
    return await exchange.start(body)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    if (!client.gone) {
      runtime.diagnostics.count('refused', { reason: refusalReason(error) })
      replyWithSluiceError(ctx.res, format, error)
    }
    return { finished: Promise.resolve() }
  }
}

async function read(
  { ctx, format }: InterceptOptions,
  { bytes }: RequestBody,
  { clientRules: rules }: Runtime,
): Promise<NonNullable<RequestRead>> {
  const request = { format: format.name, bytes, headers: ctx.req.rawHeaders, rules }
  const offThread = bytes.length > inlineBytes ? await readRequestOffThread(request) : undefined
  const result = offThread === undefined ? readRequest(request) : offThread
  if (result) return result
  const what = bytes.length === 0 ? 'is empty' : 'is not a JSON object'
  throw new SluiceError(`the request body ${what}: send one JSON object`, {
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
