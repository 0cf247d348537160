import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
} from 'jose'
import type { Log } from '../../core/diagnostics.ts'
import { Discovery } from './discovery.ts'
import type { IssuerFetch } from './issuer-fetch.ts'

export interface IssuerKeysOptions {
  readonly issuer: string
  /** @default what the issuer publishes */
  readonly jwksUrl: string | undefined
  readonly fetch: IssuerFetch
  readonly log?: Log
  /** How long an issuer that is away is believed by the keys that it had. @default 1 h */
  readonly graceMs?: number
  /** @default 10 min */
  readonly maxAgeMs?: number
  /** The least time between two fetches for keys that are not known. @default 30 s */
  readonly cooldownMs?: number
  /** How old the issuer's description may become. @default 1 h */
  readonly renewMs?: number
  /** The least time between two fetches of that. @default 10 s */
  readonly againMs?: number
}

type Ask = Parameters<JWTVerifyGetKey>
type Key = Awaited<ReturnType<JWTVerifyGetKey>>
type RemoteKeys = ReturnType<typeof createRemoteJWKSet>

const patienceMs = 3000

/**
 * The keys an issuer signs with: fetched when they are needed first, again after ten minutes, and where a token
 * names one that is new, at most every 30 s. Where they are is asked anew, too: each hour, and where they can't be had.
 */
export function issuerKeys({
  jwksUrl,
  fetch,
  graceMs = 3_600_000,
  maxAgeMs: cacheMaxAge = 600_000,
  cooldownMs: cooldownDuration = 30_000,
  ...options
}: IssuerKeysOptions): JWTVerifyGetKey {
  const discovery = jwksUrl === undefined ? new Discovery({ ...options, fetch, patienceMs }) : null
  let remote: { readonly url: string; readonly keys: RemoteKeys } | undefined
  let last: { readonly keys: RemoteKeys; readonly at: number } | undefined

  function keysAt(url: string): RemoteKeys {
    if (remote?.url !== url) {
      const keys = createRemoteJWKSet(new URL(url), {
        timeoutDuration: patienceMs,
        cacheMaxAge,
        cooldownDuration,
        [customFetch]: fetch,
      })
      remote = { url, keys }
    }
    return remote.keys
  }

  async function keyAt(url: string, ...ask: Ask): Promise<Key> {
    const keys = keysAt(url)
    const key = await keys(...ask)
    last = { keys, at: performance.now() }
    return key
  }

  /** By the keys that the issuer had; undefined where they are too old, or there is none that would do. */
  async function lastKey(...ask: Ask): Promise<Key | undefined> {
    const jwks = last?.keys.jwks()
    if (!last || !jwks || performance.now() - last.at > graceMs) return undefined
    return createLocalJWKSet(jwks)(...ask).catch(() => undefined)
  }

  return async (...ask) => {
    const url = jwksUrl ?? (await (discovery as Discovery).url())
    try {
      return await keyAt(url, ...ask)
    } catch (error) {
      // An answer: there is no such key, at least not there.
      const isAway = !(error instanceof errors.JWKSNoMatchingKey)
      const known = isAway ? await lastKey(...ask) : undefined
      if (known) {
        discovery?.renew()
        return known
      }
      const moved = await discovery?.again()
      if (moved === undefined || moved === url) throw error
      return keyAt(moved, ...ask)
    }
  }
}
