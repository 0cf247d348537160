import type { RawHeaders } from './upstream.ts'

/** The first value under a name, whatever its case, as it was sent. */
export function headerValue(raw: RawHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (isNamed(raw[i], name)) return raw[i + 1]
  }
  return undefined
}

/** All values under a name, in their order. */
export function headerValues(raw: RawHeaders, name: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (isNamed(raw[i], name)) values.push(raw[i + 1] ?? '')
  }
  return values
}

/** Names are compared by their length first: a dozen look-ups a request go through twenty headers each. */
function isNamed(name: string | undefined, wanted: string): boolean {
  return name?.length === wanted.length && name.toLowerCase() === wanted.toLowerCase()
}

/** The headers that `keep` (given lower-case name, value, position) lets through; case, order and duplicates stay. */
export function filterHeaders(
  raw: RawHeaders,
  keep: (name: string, value: string, position: number) => boolean,
): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    if (keep(name.toLowerCase(), value, i)) kept.push(name, value)
  }
  return kept
}

export interface UpstreamHeaderOptions {
  /** Routes whose replies are read ask for an uncompressed one; on others the client's wish stands. */
  readonly intercepted: boolean
  /** The body was decoded on its way, so its `content-encoding` no longer holds. @default false */
  readonly decoded?: boolean
}

/** The client's headers as they go upstream, credentials included: those are `resolveCredential`'s affair. */
export function upstreamHeaders(
  raw: RawHeaders,
  { intercepted, decoded = false }: UpstreamHeaderOptions,
): RawHeaders {
  const named = namedByConnection(raw)
  const headers = filterHeaders(
    raw,
    (name) =>
      !hopByHop.has(name) &&
      !named.has(name) &&
      !ownConnection.has(name) &&
      !isGatewayHeader(name) &&
      !(intercepted && name === 'accept-encoding') &&
      !(decoded && name === 'content-encoding'),
  )
  if (intercepted) headers.push('accept-encoding', 'identity')
  return headers
}

/** The upstream's headers as they go to the client. */
export function replyHeaders(raw: RawHeaders): string[] {
  const named = namedByConnection(raw)
  // A length beside a transfer-encoding does not count (RFC 9112 §6.3), and would break our own framing.
  const chunked = headerValue(raw, 'transfer-encoding') !== undefined
  return filterHeaders(
    raw,
    (name) => !hopByHop.has(name) && !named.has(name) && !(chunked && name === 'content-length'),
  )
}

/** Fields of one connection: RFC 9110 §7.6.1 and §11.7, and two that predate it. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What the transport says itself; undici throws on an `expect`. */
const ownConnection: ReadonlySet<string> = new Set(['host', 'content-length', 'expect'])

const gatewayPrefixes: readonly string[] = [
  'x-sluice-',
  'x-coder-ai-governance-',
  'x-ai-bridge-actor',
]

/** Tokens and statements meant for a gateway; no provider may see them. */
function isGatewayHeader(name: string): boolean {
  if (!name.startsWith('x-') && !name.startsWith('c')) return false
  return name === 'coder-session-token' || gatewayPrefixes.some((prefix) => name.startsWith(prefix))
}

function namedByConnection(raw: RawHeaders): ReadonlySet<string> {
  if (headerValue(raw, 'connection') === undefined) return none
  const names = new Set<string>()
  for (const value of headerValues(raw, 'connection')) {
    for (const name of value.split(',')) names.add(name.trim().toLowerCase())
  }
  return names
}

const none: ReadonlySet<string> = new Set()
