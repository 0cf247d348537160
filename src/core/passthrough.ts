import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Context } from 'koa'
import { ClientConnection } from './client-connection.ts'
import { resolveCredential } from './credentials.ts'
import { cutReply } from './cut-reply.ts'
import { messageOf, SluiceError } from './errors.ts'
import { headerValue, replyHeaders, upstreamHeaders } from './headers.ts'
import { errorFormat, replyWithSluiceError } from './own-reply.ts'
import { type Provider, upstreamUrl } from './provider.ts'
import { flushHead, writeReplyHead } from './reply-head.ts'
import { type RequestBody, readRequestBody } from './request-body.ts'
import type { Runtime } from './runtime.ts'
import { PassThroughTrace } from './tracing/passthrough-trace.ts'
import type { Reply, UpstreamRequest } from './upstream.ts'

export interface PassThroughOptions {
  readonly ctx: Context
  readonly provider: Provider
  /** Without `/v1`. */
  readonly path: string
  /** Lives beside `/v1` upstream. */
  readonly root: boolean
  /** The route that matched, such as `/models/*`. */
  readonly label: string
  readonly search: string
  /** A body that was read already; else it is streamed. */
  readonly body?: RequestBody
}

/** Forwards a request and its reply without reading or recording them. */
export async function passThrough(options: PassThroughOptions, runtime: Runtime): Promise<void> {
  const { ctx, provider, path, root, label } = options
  const { req: request, res: response } = ctx
  const route = root ? label : `/v1${label}`
  const { method = '' } = request
  runtime.diagnostics.count('passthrough', { provider: provider.name, route, method })
  const client = new ClientConnection(response)
  client.whenGone(() => client.abort(new Error('the client went away')))
  const serving = {
    place: 0,
    abort: () => {
      client.abort(new Error('the gateway was shut down'))
      cutReply(request, response)
    },
  }
  runtime.open.add(serving)
  const { tracing } = runtime
  const headers = request.rawHeaders
  const trace =
    tracing && new PassThroughTrace(tracing, { headers, path: root ? path : `/v1${path}`, method })
  try {
    const reply = await withHeadersTimeout(client, runtime, async () => {
      const sent = await upstreamRequest(options, runtime, client.signal)
      return trace ? trace.send(sent, runtime.send) : runtime.send(sent)
    })
    const closing = runtime.state.draining ? ['connection', 'close'] : []
    await forward(reply, [...replyHeaders(reply.headers), ...closing], response)
  } catch (error) {
    trace?.fail(messageOf(error))
    if (response.headersSent) response.destroy()
    else if (!client.gone) {
      const known = error instanceof SluiceError ? error : unexpected(error)
      runtime.diagnostics.log('warn', `pass-through failed: ${known.message}`, {
        provider: provider.name,
      })
      replyWithSluiceError(response, errorFormat(provider), known)
    }
  } finally {
    // Answered early: who sends on would never get done with it, nor with the next request.
    if (!request.complete) request.unpipe().resume()
    runtime.open.delete(serving)
    trace?.end()
  }
}

/** Runs the upstream call; rejects with a 504 where no response headers come in time. */
export async function withHeadersTimeout(
  client: ClientConnection,
  { settings }: Runtime,
  call: () => Promise<Reply>,
): Promise<Reply> {
  const ms = settings.upstreamHeadersTimeout
  let late: SluiceError | undefined
  const timer = setTimeout(() => {
    late = new SluiceError(`the upstream sent no response headers within ${ms} ms`, {
      code: 'ERR_UPSTREAM_TIMEOUT',
      status: 504,
    })
    client.abort(late)
  }, ms)
  try {
    return await call()
  } catch (error) {
    throw late ?? error
  } finally {
    clearTimeout(timer)
  }
}

async function upstreamRequest(
  { ctx, provider, path, root, search, body: given }: PassThroughOptions,
  { settings }: Runtime,
  signal: AbortSignal,
): Promise<UpstreamRequest> {
  const { req: request } = ctx
  const consumed = request.readableDidRead || request.readableEnded
  const hasBody =
    request.headers['content-length'] !== undefined ||
    request.headers['transfer-encoding'] !== undefined
  const body =
    given ??
    (consumed && hasBody
      ? await readRequestBody(request, rawBodyOf(ctx), settings.maxBodySize)
      : undefined)
  const length = request.headers['content-length']
  const { headers } = resolveCredential(
    provider,
    upstreamHeaders(request.rawHeaders, { intercepted: false, decoded: body?.decoded ?? false }),
    { allowByok: settings.allowByok, intercepted: false },
  )
  return {
    method: request.method ?? 'GET',
    url: upstreamUrl(provider, path, search, root),
    headers: withForwarded(headers, ctx),
    body: body?.bytes ?? (hasBody ? request : null),
    ...(body === undefined && length !== undefined && { contentLength: Number(length) }),
    signal,
  }
}

/** What a body parser before us kept of the body. */
export function rawBodyOf(ctx: Context): unknown {
  return (ctx.request as unknown as { rawBody?: unknown }).rawBody
}

/** Names the client to the upstream, as reverse proxies do. */
function withForwarded(headers: readonly string[], ctx: Context): string[] {
  const { req: request } = ctx
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!/^x-forwarded-(for|host|proto)$/i.test(name)) kept.push(name, headers[i + 1] ?? '')
  }
  const peer = request.socket.remoteAddress?.replace(/^::ffff:/, '')
  const before = headerValue(headers, 'x-forwarded-for')
  const encrypted = 'encrypted' in request.socket
  if (peer) kept.push('X-Forwarded-For', before ? `${before}, ${peer}` : peer)
  if (request.headers.host) kept.push('X-Forwarded-Host', request.headers.host)
  kept.push('X-Forwarded-Proto', encrypted ? 'https' : 'http')
  if (headerValue(headers, 'user-agent') === undefined) kept.push('User-Agent', 'sluice')
  return kept
}

async function forward(reply: Reply, headers: string[], response: ServerResponse): Promise<void> {
  try {
    writeReplyHead(response, reply, headers)
    flushHead(response)
    // Before `pipeline` destroys both ends in its own way: a cut upstream looks cut to the client, too.
    reply.body.once('error', () => cutReply(response.req, response))
    await pipeline(reply.body, response)
  } finally {
    reply.body.destroy()
  }
}

function unexpected(cause: unknown): SluiceError {
  return new SluiceError('the gateway failed to forward this request: see its log', {
    code: 'ERR_INTERNAL',
    status: 502,
    cause,
  })
}
