import type { JsonObject } from '../core/json.ts'

export type Vendor = 'anthropic' | 'openai'

export interface VendorError {
  readonly status: number
  readonly type: string
  readonly code: string | null
  readonly message: string
  readonly requestId: string
}

/** A refusal as the vendor words and types it: https://docs.anthropic.com/en/api/errors, https://platform.openai.com/docs/guides/error-codes */
export function vendorError(
  vendor: Vendor,
  status: number,
  requestId: string,
  message: string = MESSAGES[status] ?? 'The simulated provider refused the request.',
): VendorError {
  const openai = OPENAI_TYPES[status] ?? [status < 500 ? 'invalid_request_error' : 'server_error']
  const anthropic =
    ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return {
    status,
    type: vendor === 'anthropic' ? anthropic : (openai[0] ?? 'server_error'),
    code: openai[1] ?? null,
    message,
    requestId,
  }
}

export function errorBody(vendor: Vendor, error: VendorError): JsonObject {
  const { type, code, message, requestId } = error
  if (vendor === 'openai') return { error: { message, type, param: null, code } }
  return { type: 'error', error: { type, message }, request_id: requestId }
}

const MESSAGES: Readonly<Record<number, string>> = {
  400: 'The simulated provider finds the request invalid.',
  401: 'The simulated provider does not accept this key.',
  403: 'This key may not use the simulated model.',
  404: 'The simulated provider has no such thing.',
  413: 'The request is larger than the simulated provider takes.',
  429: 'The simulated rate limit is reached; try again shortly.',
  500: 'The simulated provider had an internal fault.',
  503: 'The simulated provider is busy; try again shortly.',
  529: 'Overloaded',
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

const OPENAI_TYPES: Readonly<Record<number, readonly [type: string, code?: string]>> = {
  401: ['invalid_request_error', 'invalid_api_key'],
  404: ['invalid_request_error', 'not_found'],
  429: ['requests', 'rate_limit_exceeded'],
  500: ['server_error', 'server_error'],
  503: ['server_error', 'service_unavailable'],
}
