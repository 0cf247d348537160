import {
  MongoBulkWriteError,
  MongoCompatibilityError,
  MongoError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb'
import { messageOf, SluiceError } from '../../core/errors.ts'

/**
 * What went wrong with the store, with the hosts' names and the way out. `ERR_STORE_AWAY` and
 * `ERR_STORE_SLOW` go by: the same may be tried again.
 */
export function storeFault(error: unknown, hosts: string): SluiceError {
  if (error instanceof SluiceError) return error
  const [code, what, status = 500] = reading(error)
  return new SluiceError(`${what} (${hosts}: ${messageOf(error)})`, { code, status, cause: error })
}

function reading(error: unknown): readonly [code: string, what: string, status?: number] {
  const number = error instanceof MongoServerError ? Number(error.code) : undefined
  if (number === 18)
    return ['ERR_STORE_AUTH', 'the Mongo server refused the login: see user, password, authSource']
  if (number === 13)
    return ['ERR_STORE_AUTH', 'the Mongo user may not do this: grant it readWrite on the database']
  if (isSlow(error))
    return [
      'ERR_STORE_SLOW',
      'the Mongo server takes too long: see its load, and the limits in the URL',
      503,
    ]
  if (isAway(error))
    return ['ERR_STORE_AWAY', 'the Mongo server cannot be reached: see that it runs, and the URL']
  if (error instanceof MongoCompatibilityError)
    return ['ERR_STORE_VERSION', 'the driver cannot talk to a Mongo server of this version']
  if (error instanceof MongoBulkWriteError)
    return ['ERR_STORE_WRITE', 'the Mongo server refused records']
  return ['ERR_STORE', 'the Mongo store failed']
}

/** It has the request, and does not answer, or cannot do it, in the time that the URL or its own settings give it. */
function isSlow(error: unknown): boolean {
  if (error instanceof MongoNetworkTimeoutError) return true
  // While it looks for a server it has none to be slow.
  if (error instanceof MongoOperationTimeoutError) return !/server selection/.test(error.message)
  if (!(error instanceof MongoServerError)) return false
  const waited = error instanceof MongoBulkWriteError ? error.result.getWriteConcernError() : null
  return outOfTime.has(Number(error.code ?? waited?.code))
}

/** MaxTimeMSExpired, WriteConcernTimeout, NetworkInterfaceExceededTimeLimit, ExceededTimeLimit, LockTimeout. */
const outOfTime: ReadonlySet<number> = new Set([50, 64, 202, 262, 24])

/** By kind, by the driver's labels, by the code of a server on its way down, or by what lies beneath. */
function isAway(error: unknown): boolean {
  if (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoOperationTimeoutError
  ) {
    return true
  }
  if (error instanceof MongoError && awayLabels.some((label) => error.hasErrorLabel(label))) {
    return true
  }
  if (error instanceof MongoServerError && goingDown.has(Number(error.code))) return true
  if (!(error instanceof Error)) return false
  // Now and then a socket's own error comes through the driver as it is: `EPIPE` where the server has just gone.
  return ('code' in error && brokenSocket.has(String(error.code))) || isAway(error.cause)
}

const brokenSocket: ReadonlySet<string> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

const awayLabels = ['RetryableWriteError', 'ResetPool', 'NetworkError'] as const

/** MongoDB's error codes of a server that stops, steps down or lost its peers (`error_codes.yml`). */
const goingDown: ReadonlySet<number> = new Set([
  6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436,
])
