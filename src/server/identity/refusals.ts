import { SluiceError } from '../../core/errors.ts'

/** What the REST API answers with 401: everything else of identity keeps its status there, too. */
export const loginCodes: ReadonlySet<string> = new Set([
  'ERR_NO_TOKEN',
  'ERR_BAD_TOKEN',
  'ERR_NO_LOGIN',
])

export function noToken(): SluiceError {
  return new SluiceError(
    'this gateway needs a token of its own: send it in X-Sluice-Token, or in place of the provider’s key',
    { code: 'ERR_NO_TOKEN', status: 403 },
  )
}

/** While there is no login. */
export function nobodyNamed(): SluiceError {
  return new SluiceError('nobody can be told from X-Sluice-User: send a name of 1 to 256 letters', {
    code: 'ERR_NO_INITIATOR',
    status: 403,
  })
}

/** Of a proxy that logs users in. */
export function noLogin(fault: string): SluiceError {
  return new SluiceError(`this gateway does not know who you are: ${fault}`, {
    code: 'ERR_NO_LOGIN',
    status: 403,
  })
}

/** `fault` goes on with "the gateway token ". */
export function badToken(fault: string): SluiceError {
  return new SluiceError(`the gateway token ${fault}: get a new one`, {
    code: 'ERR_BAD_TOKEN',
    status: 403,
  })
}

export function tooManyTries(waitMs: number): SluiceError {
  return new SluiceError('too many requests with wrong tokens came from this address: wait', {
    code: 'ERR_TOO_MANY_TRIES',
    status: 429,
    retryAfter: Math.ceil(waitMs / 1000),
  })
}

/** What is wrong is for the log: it may name hosts and files. */
export function cannotTell(cause: unknown): SluiceError {
  return new SluiceError('the gateway cannot check tokens at the moment: try again soon', {
    code: 'ERR_IDENTITY_AWAY',
    status: 503,
    retryAfter: 2,
    cause,
  })
}
