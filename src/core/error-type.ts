import type { ErrorType } from './events.ts'

/** The type of an error by the HTTP status of an upstream's reply. */
export function errorTypeOf(status: number): ErrorType {
  return byStatus[status] ?? (status >= 500 && status <= 599 ? 'server_error' : 'unknown')
}

/**
 * The type of an error by its own words or numbers, such as `code` and `type` of an error inside a
 * stream: the first that is known decides.
 */
export function errorTypeOfCode(...codes: readonly unknown[]): ErrorType {
  for (const code of codes) {
    const found = typeOfCode(code)
    if (found !== 'unknown') return found
  }
  return 'unknown'
}

const byStatus: Readonly<Record<number, ErrorType>> = {
  400: 'bad_request',
  401: 'unauthorized',
  402: 'forbidden',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  413: 'too_large',
  422: 'bad_request',
  429: 'rate_limited',
  503: 'overloaded',
  529: 'overloaded',
}

/** What vendors call it, in snake case; the endings `_error` and `_exception` are left off. */
const byWord: Readonly<Record<string, ErrorType>> = {
  invalid_request: 'bad_request',
  bad_request: 'bad_request',
  validation: 'bad_request',
  context_length_exceeded: 'bad_request',
  invalid_prompt: 'bad_request',
  content_filter: 'bad_request',
  content_policy_violation: 'bad_request',
  previous_response_not_found: 'bad_request',
  authentication: 'unauthorized',
  invalid_api_key: 'unauthorized',
  incorrect_api_key: 'unauthorized',
  unauthorized: 'unauthorized',
  permission: 'forbidden',
  permission_denied: 'forbidden',
  access_denied: 'forbidden',
  forbidden: 'forbidden',
  billing: 'forbidden',
  not_found: 'not_found',
  model_not_found: 'not_found',
  request_too_large: 'too_large',
  payload_too_large: 'too_large',
  rate_limit: 'rate_limited',
  rate_limit_exceeded: 'rate_limited',
  insufficient_quota: 'rate_limited',
  quota_exceeded: 'rate_limited',
  usage_limit_reached: 'rate_limited',
  too_many_requests: 'rate_limited',
  throttling: 'rate_limited',
  // OpenAI's `type` of a rate limit says what ran out.
  tokens: 'rate_limited',
  requests: 'rate_limited',
  timeout: 'timeout',
  request_timeout: 'timeout',
  overloaded: 'overloaded',
  engine_overloaded: 'overloaded',
  server_is_overloaded: 'overloaded',
  service_unavailable: 'overloaded',
  slow_down: 'overloaded',
  api: 'server_error',
  server: 'server_error',
  internal: 'server_error',
  internal_server: 'server_error',
  bad_gateway: 'server_error',
  upstream: 'server_error',
}

function typeOfCode(code: unknown): ErrorType {
  if (typeof code === 'number') return errorTypeOf(code)
  if (typeof code !== 'string') return 'unknown'
  if (/^\d{3}$/.test(code)) return errorTypeOf(Number(code))
  const word = code
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/_(error|exception)$/, '')
  if (Object.hasOwn(byWord, word)) return byWord[word] ?? 'unknown'
  return /^(invalid|unsupported|image|missing)_/.test(word) ? 'bad_request' : 'unknown'
}
