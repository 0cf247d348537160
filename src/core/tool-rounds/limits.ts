import { SluiceError } from '../errors.ts'

/** What tools may take within one reply; times in ms, sizes in bytes. */
export interface ToolLimits {
  /** Upstream calls, the first one too. */
  readonly maxRounds: number
  readonly maxCalls: number
  readonly callTimeout: number
  /** From the first call of a tool to the end of the reply. */
  readonly totalTimeout: number
  readonly maxResult: number
  /** Let the model call several at once, and run those at once. */
  readonly parallel: boolean
}

/** A limit ends the reply. */
export function limitError(what: string): SluiceError {
  return new SluiceError(`the gateway's tools were stopped: ${what}`, {
    code: 'ERR_TOOL_LIMIT',
    status: 502,
  })
}
