import type { Provider } from '../core/provider.ts'
import { clientHints } from './client-hints.ts'
import type { AuthMode } from './settings.ts'

export interface BannerOptions {
  readonly url: string
  readonly providers: readonly Provider[]
  /** Where records go, in words. */
  readonly store: string
  readonly demo: boolean
  readonly auth: AuthMode
}

/** What the terminal says at start: where it listens and how to point clients at it. */
export function banner({ url, providers, store, demo, auth }: BannerOptions): string {
  const upstreams = providers.map(({ name, baseUrl, key }) => {
    const credential = key === undefined ? 'keys of the clients' : 'the configured key'
    return `  ${`/${name}`.padEnd(14)} ${demo ? 'simulated' : `${baseUrl.origin}${baseUrl.pathname} with ${credential}`}`
  })
  const hints = clientHints(url, providers, auth).map(({ client, where, lines }) =>
    lines.length === 1
      ? `  ${client.padEnd(14)} ${lines[0]}`
      : [
          `  ${client.padEnd(14)} ${where}`,
          ...lines.map((line) => `${' '.repeat(19)}${line}`),
        ].join('\n'),
  )
  return `${[
    '',
    `Sluice is at ${url} and keeps its records in ${store}`,
    '',
    ...upstreams,
    '',
    'Point a client at it:',
    ...hints,
    '',
    `Then see  sluice interceptions list  or  ${url}/api/v2/aibridge/interceptions`,
    '',
  ].join('\n')}\n`
}
