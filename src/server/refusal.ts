import type { Context } from 'koa'
import { errorTypeOf } from '../core/error-type.ts'
import type { Format } from '../core/format.ts'
import { errorFormat } from '../core/own-reply.ts'
import type { Provider } from '../core/provider.ts'
import { matchRoute } from '../core/routes.ts'

/** Where the providers' routes begin: all three are the same. */
export const mounts: readonly string[] = ['', '/api/v2/aibridge', '/api/v2/ai-gateway']

interface Refusal {
  readonly status: number
  readonly message: string
}

/** Refuses a request, in the shape of its route: a provider's error, or our API's. */
export function refuse(
  ctx: Context,
  providers: readonly Provider[],
  { status, message }: Refusal,
): void {
  const errorType = errorTypeOf(status)
  ctx.status = status
  ctx.body = formatOf(ctx.path, providers)?.errorBody({ status, errorType, message }) ?? { message }
}

function formatOf(path: string, providers: readonly Provider[]): Format | undefined {
  for (const mount of mounts) {
    if (!path.startsWith(`${mount}/`)) continue
    const [, name, rest = ''] = /^\/([^/]+)(.*)$/.exec(path.slice(mount.length)) ?? []
    const provider = providers.find((candidate) => candidate.name === name)
    if (!provider) continue
    const route = matchRoute(provider, rest)
    return route?.kind === 'intercepted' ? route.format : errorFormat(provider)
  }
  return undefined
}
