import type { IncomingMessage } from 'node:http'
import { bearerToken } from '../../core/credentials.ts'
import { headerValues } from '../../core/headers.ts'
import type { TokenLooks } from './token-check.ts'

/** Headers of ours: beside a token in one of them the usual ones hold the client's own provider credential. */
const ownPlaces = ['coder-session-token', 'x-sluice-token', 'x-coder-ai-governance-token'] as const

/** Where clients put the provider's key, or our token in its stead; some hosts read the last two. */
const credentialPlaces: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
])

export interface PresentedToken {
  readonly text: string
  /** It stands where a provider's key would: then the client brings no key of its own. */
  readonly inPlaceOfKey: boolean
}

/** The token that a request shows, from the first of its places that has one. Its looks tell it from a provider's key. */
export function presentedToken(
  { rawHeaders }: IncomingMessage,
  looks: TokenLooks,
): PresentedToken | undefined {
  for (const name of ownPlaces) {
    const text = headerValues(rawHeaders, name).find((value) => value.trim() !== '')
    if (text !== undefined) return { text: text.trim(), inPlaceOfKey: false }
  }
  const texts = [
    ...headerValues(rawHeaders, 'authorization').map(bearerToken),
    ...headerValues(rawHeaders, 'x-api-key').map((value) => value.trim()),
  ].filter((text) => text !== undefined && text !== '') as string[]
  const text = texts.find((each) => looks.isOurs(each)) ?? texts[0]
  return text === undefined ? undefined : { text, inPlaceOfKey: true }
}

/**
 * Takes a token out of its request, wherever it stands, so that nobody behind this sees it: no provider, record,
 * plugin or log. Whatever else looks like a token of ours goes, too.
 */
export function takeOutToken(
  request: IncomingMessage,
  token: PresentedToken | undefined,
  looks: TokenLooks,
): void {
  takeOutHeaders(
    request,
    (name, value) =>
      (token?.inPlaceOfKey && credentialPlaces.has(name)) ||
      (value.length >= leastLength && holdsToken(value, token?.text, looks)),
  )
}

/** Removes headers from a request before anybody else reads it; the names are given in lower case. */
export function takeOutHeaders(
  request: IncomingMessage,
  isOut: (name: string, value: string) => boolean,
): void {
  // Made from the raw ones when it is first read.
  const { rawHeaders: raw, headers } = request
  const gone = new Set<string>()
  let kept = 0
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]]
    const lower = name.toLowerCase()
    if (isOut(lower, value)) gone.add(lower)
    else {
      raw[kept++] = name
      raw[kept++] = value
    }
  }
  raw.length = kept
  for (const name of gone) delete headers[name]
}

/** No token is shorter. */
const leastLength = 32

function holdsToken(value: string, token: string | undefined, looks: TokenLooks): boolean {
  const basic = /^basic\s/i.test(value)
  const text = basic ? Buffer.from(value.slice(6), 'base64').toString('latin1') : value
  if (token !== undefined && token !== '' && text.includes(token)) return true
  return (
    looks.marks.some((mark) => text.includes(mark)) &&
    text.split(/[\s,;:="']+/).some((part) => looks.isOurs(part))
  )
}
