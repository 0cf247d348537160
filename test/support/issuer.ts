import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export interface Issuer {
  readonly url: string
  /** How often its keys were asked for. */
  readonly fetches: number
  /** How often it was asked where they are. */
  readonly looks: number
  /** Whether it says where they are. @default true */
  open: boolean
  sign(claims: JWTPayload, options?: SignOptions): Promise<string>
  /** A new key; the old one is no longer published. */
  rotate(): Promise<void>
  /** Publishes its keys at another address, and no longer at the one before. */
  move(): void
  close(): Promise<void>
}

export interface SignOptions {
  /** In seconds from now. @default 60 */
  readonly expires?: number
  readonly issuer?: string
  readonly audience?: string
  readonly algorithm?: string
  /** @default the issuer's own */
  readonly key?: CryptoKey | Uint8Array
}

/** Signs tokens and publishes its keys, and where those are; nothing else of OpenID Connect. */
export async function startIssuer(): Promise<Issuer> {
  let number = 0
  let pair = await generateKeyPair('ES256')
  let fetches = 0
  let looks = 0
  let open = true
  let place = '/keys'
  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/.well-known/openid-configuration') {
      looks++
      response.statusCode = open ? 200 : 503
      return response.end(JSON.stringify(open ? { issuer: url, jwks_uri: `${url}${place}` } : {}))
    }
    if (request.url !== place) return response.writeHead(404).end()
    fetches++
    const key = { ...(await exportJWK(pair.publicKey)), kid: `key-${number}`, alg: 'ES256' }
    response.end(JSON.stringify({ keys: [key] }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    get fetches() {
      return fetches
    },
    get looks() {
      return looks
    },
    get open() {
      return open
    },
    set open(value) {
      open = value
    },
    sign: (claims, options = {}) => {
      const { expires = 60, issuer = url, audience = 'sluice' } = options
      const { algorithm: alg = 'ES256', key = pair.privateKey } = options
      return new SignJWT(claims)
        .setProtectedHeader({ alg, kid: `key-${number}` })
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime(Math.floor(Date.now() / 1000) + expires)
        .sign(key)
    },
    rotate: async () => {
      number++
      pair = await generateKeyPair('ES256')
    },
    move: () => {
      place += '-new'
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
