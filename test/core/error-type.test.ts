import assert from 'node:assert/strict'
import test from 'node:test'
import { errorTypeOf, errorTypeOfCode } from '../../src/core/error-type.ts'

const statuses = {
  400: 'bad_request',
  401: 'unauthorized',
  402: 'forbidden',
  403: 'forbidden',
  404: 'not_found',
  405: 'unknown',
  408: 'timeout',
  413: 'too_large',
  422: 'bad_request',
  429: 'rate_limited',
  500: 'server_error',
  502: 'server_error',
  503: 'overloaded',
  504: 'server_error',
  529: 'overloaded',
  200: 'unknown',
  600: 'unknown',
}

for (const [status, type] of Object.entries(statuses)) {
  test(`status ${status} is ${type}`, () => {
    assert.equal(errorTypeOf(Number(status)), type)
  })
}

const codes: [string, readonly unknown[]][] = [
  ['rate_limited', ['rate_limit_error']],
  ['rate_limited', ['insufficient_quota', 'insufficient_quota']],
  ['rate_limited', ['rate_limit_exceeded', 'tokens']],
  ['rate_limited', [null, 'RateLimitError']],
  ['rate_limited', ['throttlingException']],
  ['overloaded', ['overloaded_error']],
  ['unauthorized', ['authentication_error']],
  ['unauthorized', ['invalid_api_key', 'invalid_request_error']],
  ['forbidden', ['permission_error']],
  ['bad_request', ['invalid_request_error']],
  ['bad_request', ['context_length_exceeded']],
  ['bad_request', ['image_too_large']],
  ['not_found', ['not_found_error']],
  ['too_large', ['request_too_large']],
  ['timeout', ['timeout_error']],
  ['server_error', ['api_error']],
  ['server_error', [undefined, 'server_error']],
  ['server_error', [502]],
  ['rate_limited', ['429']],
  ['unknown', ['ERR_SOMETHING', 'error']],
  ['unknown', ['constructor', '__proto__']],
  ['unknown', []],
]

for (const [type, words] of codes) {
  test(`an error that calls itself ${JSON.stringify(words)} is ${type}`, () => {
    assert.equal(errorTypeOfCode(...words), type)
  })
}
