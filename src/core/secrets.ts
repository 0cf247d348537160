import { mask } from './credentials.ts'
import type { Provider } from './provider.ts'
import type { RawHeaders } from './upstream.ts'

export interface SecretPlaces {
  readonly headers: RawHeaders
  /** `?…` of the request. */
  readonly search: string
  readonly provider: Provider
}

/**
 * Masks in a text whatever credentials a request carries: a provider's error may repeat the key that it does not
 * accept, and what it says is recorded and logged.
 */
export function withoutSecrets(text: string, places: SecretPlaces): string {
  if (text === '') return text
  let masked = withoutUrlCredentials(text).replace(gatewayToken, mask)
  for (const secret of secretsOf(places)) masked = masked.replaceAll(secret, mask(secret))
  return masked
}

/** Masks the values of headers, or of anything else with names, whose name says that they are credentials. */
export function withoutNamedSecrets(text: string, named: RawHeaders): string {
  const secrets = new Set<string>()
  addNamed(secrets, named)
  let masked = withoutUrlCredentials(text)
  for (const secret of longestFirst(secrets)) masked = masked.replaceAll(secret, mask(secret))
  return masked
}

/** `https://user:password@host` → `https://…@host`, wherever a text has such a thing. */
export function withoutUrlCredentials(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^/?#\s"'<>]*@/gi, '$1…@')
}

/** Tokens of our own are taken out of a request before this, so that no provider should know one. */
const gatewayToken = /\bsluice_[0-9A-Za-z]{46}\b/g

/** What is shorter than any credential would mask words. */
const leastLength = 8

/** The longest first: one may be a part of another. */
function secretsOf({ headers, search, provider }: SecretPlaces): string[] {
  const secrets = new Set<string>()
  const { key = '', baseUrl } = provider
  for (const own of [key, baseUrl.username, baseUrl.password]) secrets.add(own).add(decoded(own))
  addNamed(secrets, headers)
  for (const [name, value] of new URLSearchParams(search)) {
    if (isSecretName(name)) secrets.add(value).add(encodeURIComponent(value))
  }
  return longestFirst(secrets)
}

function longestFirst(secrets: ReadonlySet<string>): string[] {
  return [...secrets]
    .filter(({ length }) => length >= leastLength)
    .sort((a, b) => b.length - a.length)
}

function addNamed(secrets: Set<string>, named: RawHeaders): void {
  for (let at = 0; at + 1 < named.length; at += 2) {
    const value = named[at + 1] ?? ''
    if (!isSecretName(named[at] ?? '')) continue
    // `Bearer x`, `a=x; b=y`, lists
    for (const part of value.split(/[\s,;]+/)) secrets.add(part).add(part.replace(/^[^=]+=/, ''))
    const [, basic] = /^basic\s+(\S+)$/i.exec(value.trim()) ?? []
    if (basic)
      secrets.add(
        Buffer.from(basic, 'base64')
          .toString()
          .replace(/^[^:]*:/, ''),
      )
  }
}

function isSecretName(name: string): boolean {
  return /auth|key|token|secret|cookie|passw|credential|signature/i.test(name)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
