export interface SluiceErrorOptions {
  /** Stable, greppable name of the fault, such as `ERR_BODY_TOO_LARGE`. */
  readonly code: string
  /** The HTTP status a client would see. @default 500 */
  readonly status?: number
  /** Seconds after which the client may try again. */
  readonly retryAfter?: number
  readonly cause?: unknown
}

/** The one error class: `code` for programs, `status` for HTTP, a message that names the thing and the way out. */
export class SluiceError extends Error {
  readonly code: string
  readonly status: number
  readonly retryAfter: number | undefined

  constructor(message: string, { code, status = 500, retryAfter, cause }: SluiceErrorOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SluiceError'
    this.code = code
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** The text of anything that was thrown, also of what has none. Never throws. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return 'something that has no text was thrown'
  }
}
