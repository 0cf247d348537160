import { errorTypeOf } from './error-type.ts'
import type { SluiceError } from './errors.ts'
import type { ErrorType, Outcome } from './events.ts'

/** Our own refusals are `rejected`; a silent upstream `timed_out`; one that can't be reached `failed`. */
export function outcomeOf(error: SluiceError | null): { outcome: Outcome; errorType: ErrorType } {
  switch (error?.code) {
    case 'ERR_UPSTREAM_TIMEOUT':
      return { outcome: 'timed_out', errorType: 'timeout' }
    case 'ERR_UPSTREAM_UNREACHABLE':
      return { outcome: 'failed', errorType: 'unreachable' }
    case 'ERR_UPSTREAM_CUT':
      return { outcome: 'upstream_cut', errorType: 'unknown' }
    case 'ERR_TOOL_LIMIT':
      return { outcome: 'failed', errorType: 'tool_limit' }
    default:
      return isRefusal(error)
        ? { outcome: 'rejected', errorType: errorTypeOf(error.status) }
        : { outcome: 'failed', errorType: 'unknown' }
  }
}

/** Of ours or of a layer: a budget that is spent, a circuit that is open. */
function isRefusal(error: SluiceError | null): error is SluiceError {
  return error !== null && (error.status < 500 || error.status === 503)
}
