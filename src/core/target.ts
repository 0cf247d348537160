import type { IncomingMessage } from 'node:http'
import type { Provider } from './provider.ts'
import type { Runtime } from './runtime.ts'

export interface Target {
  readonly provider: Provider
  /** Below the provider's name, still percent-encoded. */
  readonly path: string
  readonly search: string
}

/** The provider that a request is for; null where its path is not the gateway's. */
export function targetOf(
  { url = '' }: IncomingMessage,
  base: string,
  { providers }: Runtime,
): Target | null {
  const [path = '', ...query] = (url.startsWith('/') ? url : originForm(url)).split('?')
  if (base !== '' && path !== base && !path.startsWith(`${base}/`)) return null
  const [, name = '', rest = ''] = /^\/+([^/]*)(.*)$/.exec(path.slice(base.length)) ?? []
  const provider = providers.get(name)
  if (!provider) return null
  return { provider, path: rest, search: query.length > 0 ? `?${query.join('?')}` : '' }
}

function originForm(url: string): string {
  const parsed = URL.parse(url)
  return parsed ? `${parsed.pathname}${parsed.search}` : ''
}
