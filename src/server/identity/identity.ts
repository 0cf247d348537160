import type { Context } from 'koa'
import type { Log } from '../../core/diagnostics.ts'
import { messageOf, SluiceError } from '../../core/errors.ts'
import { createTransport } from '../../core/transports/create-transport.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Config } from '../config.ts'
import { apiTokenCheck } from './api-token-check.ts'
import type { Caller } from './caller.ts'
import { FailedTries } from './failed-tries.ts'
import { tokenLooks } from './gateway-token.ts'
import { headerIdentity } from './header-identity.ts'
import { issuerFetch } from './issuer-fetch.ts'
import { issuerKeys } from './issuer-keys.ts'
import { jwtCheck } from './jwt-check.ts'
import { localCaller } from './local-caller.ts'
import { clientAddress, networks } from './networks.ts'
import { noToken, tooManyTries } from './refusals.ts'
import type { TokenCheck } from './token-check.ts'
import { presentedToken, takeOutToken } from './token-places.ts'

/**
 * Tells who is behind a request, and takes what told it out of the request. Throws a `SluiceError` of status
 * 403, 429 or 503.
 */
export type Identify = (ctx: Context) => Caller | Promise<Caller>

export interface IdentityOptions {
  readonly accounts: Accounts
  readonly log: Log
}

/** Who is asking, by the way that `auth` names. */
export function identity(config: Config, { accounts, log }: IdentityOptions): Identify {
  const trusted = networks(config.trustedProxies)
  if (config.auth === 'none')
    return ({ req }) => {
      // A client may be set up for a gateway with login: its token is no provider's business.
      takeOutToken(req, undefined, tokenLooks)
      return localCaller(req.headers, config.user)
    }
  if (config.auth === 'header') {
    const options = { header: config.authHeader, trusted, accounts }
    return ({ req }) => {
      takeOutToken(req, undefined, tokenLooks)
      return headerIdentity(req, options)
    }
  }
  const check =
    config.auth === 'jwt' ? jwtOf(config, log) : apiTokenCheck(accounts, config.bootstrapToken)
  return byToken(check, {
    tries: new FailedTries(),
    addressOf: (req) => clientAddress(req, trusted),
    log,
  })
}

interface ByTokenOptions {
  readonly tries: FailedTries
  readonly addressOf: (request: Context['req']) => string
  readonly log: Log
}

function byToken(check: TokenCheck, { tries, addressOf, log }: ByTokenOptions): Identify {
  return async ({ req }) => {
    const token = presentedToken(req, check)
    takeOutToken(req, token, check)
    if (!token) throw noToken()
    const address = addressOf(req)
    const wait = tries.wait(address)
    // Others behind the same address go on.
    if (wait > 0 && !check.isKnown(token.text)) throw tooManyTries(wait)
    try {
      return await check.caller(token.text)
    } catch (error) {
      if (error instanceof SluiceError && error.status === 403) {
        if (tries.note(address))
          log('warn', 'too many wrong tokens from one address: it has to wait', { address })
      } else log('error', `tokens cannot be checked: ${causeOf(error)}`)
      throw error
    }
  }
}

function jwtOf(config: Config, log: Log): TokenCheck {
  const { jwtIssuer: issuer = '', jwtAudience: audience = '', proxy } = config
  const { send } = createTransport(config.transport, { proxy })
  return jwtCheck({
    issuer,
    audience,
    usernameClaim: config.jwtUsernameClaim,
    roleClaim: config.jwtRoleClaim,
    keys: issuerKeys({ issuer, jwksUrl: config.jwtJwksUrl, fetch: issuerFetch(send), log }),
  })
}

function causeOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error)
}
