import { SluiceError } from './errors.ts'
import type { Format } from './format.ts'
import { withoutUrlCredentials } from './secrets.ts'

/** Where requests go and with what key; what their bytes mean is a `Format`'s affair. */
export interface Provider {
  /** The wire family: which routes and which auth header. */
  readonly type: 'anthropic' | 'openai'
  /** The first path segment of its routes. */
  readonly name: string
  /** With or without a trailing `/v1`. */
  readonly baseUrl: URL
  /** Sent when the client brings no credential of its own. */
  readonly key: string | undefined
  /** Whether to ask the upstream of Chat streams for usage: see `docs/formats.md`. */
  readonly chatUsage: 'auto' | 'ask' | 'off'
  /** What happens upstream when the client leaves; the gateway's own setting where undefined. */
  readonly disconnect: 'abort' | 'drain' | undefined
  /** Intercepted routes, without `/v1`: path → format. */
  readonly intercepted: Readonly<Record<string, Format>>
  /** Passed-through routes below `/v1`; `/models/*` is `/models` and all below it. */
  readonly passthrough: readonly string[]
  /** Passed-through routes beside `/v1`. */
  readonly rootPassthrough: readonly string[]
  /** True for the vendor's own base URL. */
  readonly vendor: boolean
}

/** What a user says of a provider; all of it optional. */
export interface ProviderOptions {
  /** Instance name, the first path segment. @default the type */
  readonly name?: string
  /** @default the vendor's */
  readonly baseUrl?: string | URL
  /** The configured ("centralized") credential. @default none: clients bring their own */
  readonly key?: string
  /** @default 'auto' */
  readonly chatUsage?: 'auto' | 'ask' | 'off'
  /** @default the gateway's `disconnect` */
  readonly disconnect?: 'abort' | 'drain'
  /** Further routes to pass through, such as `/v1/files/*`. @default [] */
  readonly passthrough?: readonly string[]
}

/** First path segments that a provider may not take: they are the gateway's own. */
const reservedNames: readonly string[] = [
  'api',
  'healthz',
  'readyz',
  'metrics',
  'interceptions',
  'sessions',
  'models',
  'clients',
  'providers',
  'stats',
  'stream',
  'export',
  'openapi.json',
  'dashboard',
  'assets',
  'favicon.ico',
]

interface ProviderFamily
  extends Pick<Provider, 'type' | 'intercepted' | 'passthrough' | 'rootPassthrough'> {
  readonly vendorUrl: string
}

/** The provider of a family with what the user said of it. Throws where a name or URL will not do. */
export function defineProvider(
  { type, vendorUrl, intercepted, passthrough, rootPassthrough }: ProviderFamily,
  {
    name = type,
    baseUrl = vendorUrl,
    key,
    chatUsage = 'auto',
    disconnect,
    passthrough: further = [],
  }: ProviderOptions,
): Provider {
  const nameFault = providerNameFault(name)
  if (nameFault !== null) throw new SluiceError(nameFault, { code: 'ERR_PROVIDER_NAME' })
  const urlFault = baseUrlFault(String(baseUrl))
  if (urlFault !== null)
    throw new SluiceError(`provider "${name}": ${urlFault}`, { code: 'ERR_PROVIDER_URL' })
  const url = new URL(baseUrl)
  return {
    type,
    name,
    baseUrl: url,
    key: key === '' ? undefined : key,
    chatUsage,
    disconnect,
    intercepted,
    passthrough: [...passthrough, ...further.map(withoutVersion)],
    rootPassthrough,
    vendor: url.origin === new URL(vendorUrl).origin,
  }
}

/** Why a provider can't have this name, or null. */
export function providerNameFault(name: string): string | null {
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && !reservedNames.includes(name)) return null
  return `provider name "${name}" will not do: use lower-case letters, digits and single hyphens, and none of ${reservedNames.join(', ')}`
}

/** Why this is no base URL, or null. */
export function baseUrlFault(baseUrl: string): string | null {
  if (/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) return null
  return `base URL "${withoutUrlCredentials(baseUrl)}" is no http(s) URL`
}

/** `/v1/files/*` → `/files/*`; a doubled `/v1` collapses. */
export function withoutVersion(path: string): string {
  return path.replace(/^(\/v1)+(?=\/|$)/, '')
}

/** Where a path (without `/v1`) lives upstream. A base URL that names no version gets `/v1`. */
export function upstreamUrl(provider: Provider, path: string, search: string, root = false): URL {
  if (search !== '' || !provider.intercepted[path]) return buildUrl(provider, path, search, root)
  const known = interceptedUrls.get(provider) ?? new Map<string, URL>()
  interceptedUrls.set(provider, known)
  const url = known.get(path) ?? buildUrl(provider, path, search, root)
  known.set(path, url)
  return url
}

/** The few URLs that nearly all requests go to: parsing one costs 2 µs. Nobody changes them. */
const interceptedUrls = new WeakMap<Provider, Map<string, URL>>()

function buildUrl({ baseUrl }: Provider, path: string, search: string, root: boolean): URL {
  const url = new URL(baseUrl)
  const base = baseUrl.pathname.replace(/\/+$/, '')
  const versioned = /\/v\d[^/]*(\/|$)/.test(base)
  if (root) url.pathname = base.replace(/(\/v1)+$/, '') + path
  else url.pathname = `${versioned ? base.replace(/(\/v1)+$/, '/v1') : `${base}/v1`}${path}`
  url.search = search
  return url
}
