import type { ServerResponse } from 'node:http'
import { errorTypeOf } from './error-type.ts'
import type { SluiceError } from './errors.ts'
import type { ErrorType } from './events.ts'
import type { Format } from './format.ts'
import type { Provider } from './provider.ts'

export interface OwnReply {
  readonly status: number
  readonly message: string
  readonly errorType?: ErrorType
  readonly retryAfter?: number | undefined
  /** Further raw headers. @default [] */
  readonly headers?: readonly string[]
}

/** Answers with an error of our own, in the shape that the route's clients parse. */
export function replyWithError(
  response: ServerResponse,
  format: Format,
  { status, message, errorType = errorTypeOf(status), retryAfter, headers = [] }: OwnReply,
): void {
  if (response.headersSent || response.destroyed) return
  const body = Buffer.from(JSON.stringify(format.errorBody({ status, errorType, message })))
  response.writeHead(status, [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    ...(retryAfter === undefined ? [] : ['retry-after', String(retryAfter)]),
    // A body that was not read to its end would be taken for the next request.
    ...(response.req.complete || headers.includes('connection') ? [] : ['connection', 'close']),
    ...headers,
  ])
  response.end(body)
}

/** The same for an error that was thrown. */
export function replyWithSluiceError(
  response: ServerResponse,
  format: Format,
  { status, message, retryAfter }: SluiceError,
  headers: readonly string[] = [],
): void {
  replyWithError(response, format, { status, message, retryAfter, headers })
}

/** The format whose error shape a provider's clients expect on routes that are no format's own. */
export function errorFormat({ intercepted }: Provider): Format {
  return Object.values(intercepted)[0] as Format
}
