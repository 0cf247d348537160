import { SluiceError } from './errors.ts'
import { filterHeaders, headerValues } from './headers.ts'
import type { Provider } from './provider.ts'
import type { CredentialKind } from './records.ts'
import type { RawHeaders } from './upstream.ts'

export interface CredentialOptions {
  /** Whether clients may bring a provider credential of their own. @default true */
  readonly allowByok?: boolean
  /** On intercepted routes one credential goes on; on passed-through ones the client's stay as they are. @default true */
  readonly intercepted?: boolean
}

export interface Credential {
  /** The headers to send, with the credential that counts. */
  readonly headers: RawHeaders
  readonly kind: CredentialKind
  /** The secret, masked; empty where there is none. */
  readonly hint: string
}

/**
 * Decides with which credential a request goes upstream: the client's own, else the configured key.
 * Throws `ERR_NO_PROVIDER_KEY` (403) where clients may not bring one and none is configured.
 */
export function resolveCredential(
  provider: Provider,
  raw: RawHeaders,
  { allowByok = true, intercepted = true }: CredentialOptions = {},
): Credential {
  if (!allowByok) return withConfiguredKey(provider, withoutAny(raw, foreignCredentials), true)
  const own = ownCredential(provider, raw, intercepted)
  if (!own) {
    const spoilt = intercepted ? clientAuth : blankAuth(raw)
    return withConfiguredKey(provider, withoutAny(raw, spoilt), false)
  }
  const headers = intercepted
    ? filterHeaders(raw, (name, _, position) => !clientAuth.has(name) || position === own.position)
    : raw
  return { headers, kind: 'byok', hint: mask(own.secret) }
}

/** Both ends of a secret, by its length in code points: enough to tell two apart, never more. */
export function mask(secret: string): string {
  // Nearly all are ASCII: one character is one code point there.
  const points = /^[\x20-\x7e]*$/.test(secret) ? secret : [...secret]
  if (points.length === 0) return ''
  const shown = points.length >= 20 ? 4 : points.length >= 10 ? 2 : points.length >= 5 ? 1 : 0
  const join = (part: string | string[]) => (typeof part === 'string' ? part : part.join(''))
  const end = shown === 0 ? '' : join(points.slice(-shown))
  return `${join(points.slice(0, shown))}...${end}`
}

/** The token of an `Authorization: Bearer` value, or undefined where it is anything else. */
export function bearerToken(value: string): string | undefined {
  const fields = value.trim().split(/\s+/)
  return fields.length === 2 && fields[0]?.toLowerCase() === 'bearer' ? fields[1] : undefined
}

const clientAuth: ReadonlySet<string> = new Set(['authorization', 'x-api-key'])

/** Compatible hosts read a key from further headers. */
const foreignCredentials: ReadonlySet<string> = new Set([
  ...clientAuth,
  'api-key',
  'x-goog-api-key',
])

interface OwnCredential {
  readonly secret: string
  /** Where its header stands in the list. */
  readonly position: number
}

function ownCredential(
  { type }: Provider,
  raw: RawHeaders,
  intercepted: boolean,
): OwnCredential | undefined {
  const apiKey = () => find(raw, 'x-api-key', (value) => value.trim())
  const bearer = () => find(raw, 'authorization', bearerToken)
  const other = () => find(raw, 'authorization', (value) => value.trim())
  return (
    (type === 'anthropic' ? apiKey() : undefined) ?? bearer() ?? (intercepted ? undefined : other())
  )
}

function find(
  raw: RawHeaders,
  wanted: string,
  read: (value: string) => string | undefined,
): OwnCredential | undefined {
  for (let position = 0; position + 1 < raw.length; position += 2) {
    if (raw[position]?.toLowerCase() !== wanted) continue
    const secret = read(raw[position + 1] ?? '')
    if (secret) return { secret, position }
  }
  return undefined
}

function withConfiguredKey(
  { name, type, key }: Provider,
  headers: RawHeaders,
  required: boolean,
): Credential {
  if (key === undefined) {
    if (!required) return { headers, kind: 'centralized', hint: '' }
    throw new SluiceError(
      `provider "${name}" has no key configured, and clients may not bring their own: configure a key for it, or set allow-byok`,
      { code: 'ERR_NO_PROVIDER_KEY', status: 403 },
    )
  }
  const header = type === 'anthropic' ? ['X-Api-Key', key] : ['Authorization', `Bearer ${key}`]
  return { headers: [...headers, ...header], kind: 'centralized', hint: mask(key) }
}

function withoutAny(raw: RawHeaders, names: ReadonlySet<string>): RawHeaders {
  return filterHeaders(raw, (name) => !names.has(name))
}

/** Auth headers that are there but say nothing: a second, empty one beside the key would be misread. */
function blankAuth(raw: RawHeaders): ReadonlySet<string> {
  return new Set(
    [...clientAuth].filter((name) => headerValues(raw, name).every((value) => !value.trim())),
  )
}
