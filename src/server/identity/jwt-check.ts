import { hash } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { forgetOldest } from '../../core/forget-oldest.ts'
import { isObject } from '../../core/json.ts'
import { type Caller, isRole, type Role, roles } from './caller.ts'
import { tokenLooks } from './gateway-token.ts'
import { badToken, cannotTell } from './refusals.ts'
import type { TokenCheck } from './token-check.ts'
import { isUsername } from './username.ts'

export interface JwtCheckOptions {
  readonly issuer: string
  readonly audience: string
  readonly usernameClaim: string
  readonly roleClaim: string
  readonly keys: JWTVerifyGetKey
}

/** Signatures by key pairs only: with HS256 whoever knows the public key could sign. */
const algorithms = ['RS', 'PS', 'ES'].flatMap((kind) => [256, 384, 512].map((bits) => kind + bits))

/** How long a token that was checked is not checked again, in ms. */
const trustedFor = 30_000

/** `auth: jwt`: tokens that an OpenID Connect issuer signed. */
export function jwtCheck(options: JwtCheckOptions): TokenCheck {
  const { issuer, audience, keys } = options
  const checked = new Map<string, { caller: Caller; until: number }>()
  const lookUp = (text: string) => {
    const entry = checked.get(hashOf(text))
    return entry && entry.until > Date.now() ? entry.caller : undefined
  }
  return {
    // Each part is a JSON object in base64url.
    marks: ['.eyJ', ...tokenLooks.marks],
    isOurs: (text) => issuerOf(text) === issuer || tokenLooks.isOurs(text),
    isKnown: (text) => lookUp(text) !== undefined,
    async caller(text) {
      const known = lookUp(text)
      if (known) return known
      const rules = { issuer, audience, clockTolerance: 30, requiredClaims: ['exp'] }
      const { payload } = await jwtVerify(text, keys, {
        ...rules,
        algorithms: [...algorithms, 'EdDSA', 'Ed25519'],
      }).catch((error) => {
        throw faultOf(error)
      })
      const caller = callerOf(payload, options)
      const until = Math.min(Date.now() + trustedFor, Number(payload.exp) * 1000)
      checked.set(hashOf(text), { caller, until })
      forgetOldest(checked, 10_000)
      return caller
    },
  }
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64')
}

function issuerOf(text: string): unknown {
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)) return undefined
  try {
    return decodeJwt(text).iss
  } catch {
    return undefined
  }
}

function callerOf(payload: JWTPayload, { usernameClaim, roleClaim }: JwtCheckOptions): Caller {
  const username = claim(payload, usernameClaim)
  if (typeof username !== 'string' || !isUsername(username))
    throw badToken(`names nobody in its claim "${usernameClaim}"`)
  // A user may change the name at the issuer, never the subject.
  const id = payload.sub ?? username
  const name = payload.name
  const role = roleOf(claim(payload, roleClaim))
  return { id, username, role, ...(typeof name === 'string' && { name }) }
}

/** `a.b` is a claim of that name, else the member `b` of the claim `a`. */
function claim(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path]
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
      payload,
    )
}

/** The most of what is named; a member where nothing is. */
function roleOf(said: unknown): Role {
  const named = (Array.isArray(said) ? said : [said]).filter(isRole)
  return roles.findLast((role) => named.includes(role)) ?? 'member'
}

function faultOf(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return badToken('has expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return badToken(`is not for this gateway (its claim "${error.claim}" will not do)`)
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey
  )
    return badToken('is not signed by the issuer')
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return badToken('is signed in a way that is not taken')
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid)
    return badToken('is no JSON Web Token')
  return cannotTell(error)
}
