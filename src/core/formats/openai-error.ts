import type { ErrorType } from '../events.ts'

/** The body of an error of our own as OpenAI's clients parse it. */
export function openaiErrorBody({
  status,
  errorType,
  message,
}: {
  status: number
  errorType: ErrorType
  message: string
}): unknown {
  const type = types[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error')
  return { error: { message, type, param: null, code: codes[errorType] } }
}

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  408: 'timeout_error',
  429: 'rate_limit_error',
}

/** OpenAI's own codes where it has one; `bad_request` has many there, so none here. */
const codes: Readonly<Record<ErrorType, string | null>> = {
  bad_request: null,
  unauthorized: 'invalid_api_key',
  forbidden: 'forbidden',
  not_found: 'not_found',
  too_large: 'request_too_large',
  rate_limited: 'rate_limit_exceeded',
  timeout: 'timeout',
  overloaded: 'overloaded',
  server_error: 'server_error',
  unreachable: 'upstream_unreachable',
  tool_limit: 'tool_limit',
  unknown: null,
}
