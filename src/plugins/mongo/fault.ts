import {
  MongoBulkWriteError,
  MongoCompatibilityError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb'
import { messageOf, SluiceError } from '../../core/errors.ts'

/**
 * What went wrong with the store, with the hosts' names and the way out. `ERR_STORE_AWAY` goes by: the same
 * may be tried again.
 */
export function storeFault(error: unknown, hosts: string): SluiceError {
  if (error instanceof SluiceError) return error
  const [code, what] = reading(error)
  return new SluiceError(`${what} (${hosts}: ${messageOf(error)})`, { code, cause: error })
}

function reading(error: unknown): readonly [code: string, what: string] {
  const number = error instanceof MongoServerError ? Number(error.code) : undefined
  if (number === 18)
    return ['ERR_STORE_AUTH', 'the Mongo server refused the login: see user, password, authSource']
  if (number === 13)
    return ['ERR_STORE_AUTH', 'the Mongo user may not do this: grant it readWrite on the database']
  if (isAway(error))
    return ['ERR_STORE_AWAY', 'the Mongo server cannot be reached: see that it runs, and the URL']
  if (error instanceof MongoCompatibilityError)
    return ['ERR_STORE_VERSION', 'the driver cannot talk to a Mongo server of this version']
  if (error instanceof MongoBulkWriteError)
    return ['ERR_STORE_WRITE', 'the Mongo server refused records']
  return ['ERR_STORE', 'the Mongo store failed']
}

function isAway(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoOperationTimeoutError ||
    (error instanceof MongoServerError && error.hasErrorLabel('RetryableWriteError'))
  )
}
