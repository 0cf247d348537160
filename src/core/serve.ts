import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { messageOf, SluiceError } from './errors.ts'
import { intercept } from './intercept.ts'
import { errorFormat, type OwnReply, replyWithError, replyWithSluiceError } from './own-reply.ts'
import { passThrough } from './passthrough.ts'
import type { PluginSet } from './plugin-set.ts'
import { noUpgrade } from './refuse-upgrade.ts'
import { matchRoute, type Route } from './routes.ts'
import type { Runtime } from './runtime.ts'
import type { Target } from './target.ts'

/** Answers a request for a provider: refuses it, intercepts it or passes it through. */
export async function serve(
  ctx: Context,
  target: Target,
  runtime: Runtime,
  plugins: PluginSet,
): Promise<void> {
  const arrivedAt = performance.now()
  const { provider, path, search } = target
  const { req: request, res: response } = ctx
  // Koa and what is mounted around us keep their hands off the reply.
  ctx.respond = false
  const route = matchRoute(provider, path)
  const format = route?.kind === 'intercepted' ? route.format : errorFormat(provider)
  try {
    const admitted = admit(request, target, route, runtime)
    if (admitted.kind === 'refused') {
      runtime.diagnostics.count('refused', { reason: admitted.reason })
      replyWithError(response, format, admitted)
      if (!request.complete) request.resume()
      return
    }
    if (!plugins.isOpen) await opened(plugins)
    const identified = runtime.identify(ctx)
    const initiator = identified instanceof Promise ? await identified : identified
    if (response.closed) return
    if (admitted.kind === 'intercepted') {
      await intercept(
        { ctx, provider, format, path: admitted.path, search, initiator, arrivedAt },
        runtime,
      )
    } else {
      const { root, label } = admitted
      await passThrough({ ctx, provider, path: admitted.path, root, label, search }, runtime)
    }
  } catch (error) {
    if (response.headersSent) response.destroy()
    else if (error instanceof SluiceError) {
      runtime.diagnostics.count('refused', { reason: reasonOf(error) })
      if (error.code === notReady)
        runtime.diagnostics.log('error', `a request was refused: ${messageOf(error.cause)}`)
      replyWithSluiceError(response, format, error)
    } else {
      const message = 'the gateway failed to serve this request: see its log'
      runtime.diagnostics.log('error', `a request failed: ${messageOf(error)}`)
      replyWithError(response, format, { status: 500, message })
    }
  }
}

const notReady = 'ERR_NOT_READY'

/** What a plugin says of its trouble is for the log: it may name files and hosts. */
async function opened(plugins: PluginSet): Promise<void> {
  try {
    await plugins.open()
  } catch (cause) {
    const message =
      'the gateway is not ready, because what keeps its records cannot be opened: try again in a moment, or see its log'
    throw new SluiceError(message, { code: notReady, status: 503, retryAfter: 1, cause })
  }
}

function reasonOf({ code, status }: SluiceError): string {
  if (code === notReady) return 'not_ready'
  if (status === 429) return 'identity_tries'
  return status === 403 ? 'identity' : 'identity_timeout'
}

type Refusal = OwnReply & { readonly kind: 'refused'; readonly reason: string }

/** The route of a request that may go on, or why it may not: before anybody asks who sent it. */
function admit(
  { method = '', headers }: IncomingMessage,
  { provider, path }: Target,
  route: Route | null,
  { state }: Runtime,
): Route | Refusal {
  if (!route) {
    const message = `${method} ${path || '/'} is no route of provider "${provider.name}"`
    return { kind: 'refused', reason: 'not_found', status: 404, message }
  }
  if (route.kind === 'intercepted' && method !== 'POST') {
    if (headers.upgrade) {
      const upgrade = ['upgrade', 'HTTP/1.1', ...closing]
      return {
        kind: 'refused',
        reason: 'upgrade',
        status: 426,
        message: noUpgrade,
        headers: upgrade,
      }
    }
    const message = `${method} is not allowed on ${route.path}: send a POST`
    return { kind: 'refused', reason: 'method', status: 405, message, headers: ['allow', 'POST'] }
  }
  if (!state.draining) return route
  const message = 'the gateway is shutting down: try again in a moment'
  const reply = { status: 503, message, retryAfter: 1, headers: closing }
  return { kind: 'refused', reason: 'draining', ...reply }
}

const closing: readonly string[] = ['connection', 'close']
