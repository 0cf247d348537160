import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
} from 'jose'
import { SluiceError } from '../../core/errors.ts'
import { isObject, parseJson } from '../../core/json.ts'
import type { IssuerFetch } from './issuer-fetch.ts'

export interface IssuerKeysOptions {
  readonly issuer: string
  /** @default what the issuer publishes */
  readonly jwksUrl: string | undefined
  readonly fetch: IssuerFetch
  /** How long an issuer that is away is believed by the keys that it had. @default 1 h */
  readonly graceMs?: number
  /** @default 10 min */
  readonly maxAgeMs?: number
  /** The least time between two fetches for keys that are not known. @default 30 s */
  readonly cooldownMs?: number
}

const patienceMs = 3000

/**
 * The keys an issuer signs with: fetched when they are needed first, again after ten minutes, and where a token
 * names one that is new, at most every 30 s.
 */
export function issuerKeys({
  issuer,
  jwksUrl,
  fetch,
  graceMs = 3_600_000,
  maxAgeMs: cacheMaxAge = 600_000,
  cooldownMs: cooldownDuration = 30_000,
}: IssuerKeysOptions): JWTVerifyGetKey {
  let remote: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined
  let fetchedAt = 0

  async function locate(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    const url = jwksUrl ?? (await discoveredUrl(issuer, fetch))
    return createRemoteJWKSet(new URL(url), {
      timeoutDuration: patienceMs,
      cacheMaxAge,
      cooldownDuration,
      [customFetch]: fetch,
    })
  }

  return async (header, token) => {
    remote ??= locate()
    const mine = remote
    const keys = await mine.catch((error) => {
      // Asked again by the next token.
      if (remote === mine) remote = undefined
      throw error
    })
    try {
      const key = await keys(header, token)
      if (keys.fresh) fetchedAt = performance.now()
      return key
    } catch (error) {
      // An answer: the issuer has no such key.
      if (error instanceof errors.JWKSNoMatchingKey) throw error
      const last = keys.jwks()
      if (!last || performance.now() - fetchedAt > graceMs) throw error
      return createLocalJWKSet(last)(header, token).catch(() => {
        throw error
      })
    }
  }
}

/** OpenID Connect Discovery 1.0, §4. */
async function discoveredUrl(issuer: string, fetch: IssuerFetch): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) })
  const said = answer.status === 200 ? parseJson(await answer.text()) : undefined
  if (isObject(said) && said.issuer === issuer && typeof said.jwks_uri === 'string')
    return said.jwks_uri
  throw new SluiceError(
    `${url} (${answer.status}) does not describe the issuer ${issuer}: see jwt-issuer`,
    { code: 'ERR_ISSUER' },
  )
}
