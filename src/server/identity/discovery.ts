import type { Log } from '../../core/diagnostics.ts'
import { messageOf, SluiceError } from '../../core/errors.ts'
import { isObject, parseJson } from '../../core/json.ts'
import type { IssuerFetch } from './issuer-fetch.ts'

export interface DiscoveryOptions {
  readonly issuer: string
  readonly fetch: IssuerFetch
  readonly log?: Log
  /** How long an answer is fetched for at most. */
  readonly patienceMs: number
  /** Looked at again, in the background, once it is as old. @default 1 h */
  readonly renewMs?: number
  /** The least time between two looks, whoever asks for them. @default 10 s */
  readonly againMs?: number
}

/** Where an issuer's keys are, by its own description (OpenID Connect Discovery 1.0, §4), however that changes. */
export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #renewMs: number
  readonly #againMs: number
  #known: string | undefined
  #knownAt = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<string> | undefined
  #fault: unknown

  constructor({ renewMs = 3_600_000, againMs = 10_000, ...options }: DiscoveryOptions) {
    this.#options = { ...options }
    this.#renewMs = renewMs
    this.#againMs = againMs
  }

  /** As it is known. Rejects where it never was; what failed a moment ago is not tried again for each who asks. */
  async url(): Promise<string> {
    if (this.#known === undefined) return this.again()
    if (performance.now() - this.#knownAt >= this.#renewMs) this.renew()
    return this.#known
  }

  /** Looks again, unless that was done a moment ago, and tells what is known then. */
  async again(): Promise<string> {
    if (this.#looking || this.#isDue()) return this.#look()
    if (this.#known === undefined) throw this.#fault
    return this.#known
  }

  /** The same, without anybody waiting for it. */
  renew(): void {
    if (this.#isDue()) this.#look().catch(() => {})
  }

  #isDue(): boolean {
    return performance.now() - this.#lookedAt >= this.#againMs
  }

  #look(): Promise<string> {
    this.#looking ??= this.#fetched().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** What was known stays where nothing better is found. */
  async #fetched(): Promise<string> {
    this.#lookedAt = performance.now()
    const { log = () => {} } = this.#options
    try {
      const found = await described(this.#options)
      if (this.#known !== undefined && found !== this.#known)
        log('info', 'the issuer has moved its keys', { url: found })
      this.#known = found
      this.#knownAt = performance.now()
      this.#fault = undefined
      return found
    } catch (error) {
      const isNew = this.#fault === undefined
      this.#fault = error
      if (this.#known === undefined) throw error
      if (isNew) log('warn', `the issuer's description cannot be renewed: ${messageOf(error)}`)
      return this.#known
    }
  }
}

async function described({ issuer, fetch, patienceMs }: DiscoveryOptions): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) })
  const said = answer.status === 200 ? parseJson(await answer.text()) : undefined
  if (isObject(said) && said.issuer === issuer && URL.canParse(String(said.jwks_uri)))
    return String(said.jwks_uri)
  throw new SluiceError(
    `${url} (${answer.status}) does not describe the issuer ${issuer}: see jwt-issuer`,
    { code: 'ERR_ISSUER' },
  )
}
