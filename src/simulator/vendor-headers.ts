import type { Vendor } from './vendor-error.ts'

/** The headers that a vendor adds to each reply: request id and rate limits. */
export function vendorHeaders(vendor: Vendor, requestId: string): Record<string, string> {
  if (vendor === 'anthropic') {
    return {
      'anthropic-ratelimit-requests-limit': '4000',
      'anthropic-ratelimit-requests-remaining': '3999',
      'anthropic-ratelimit-requests-reset': '2030-01-01T00:00:00Z',
      'anthropic-ratelimit-input-tokens-limit': '400000',
      'anthropic-ratelimit-input-tokens-remaining': '399000',
      'anthropic-ratelimit-input-tokens-reset': '2030-01-01T00:00:00Z',
      'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
      'request-id': requestId,
    }
  }
  return {
    'openai-version': '2020-10-01',
    'openai-organization': 'simulated',
    'openai-processing-ms': '12',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-tokens': '1999000',
    'x-ratelimit-reset-tokens': '30ms',
    'x-request-id': requestId,
  }
}
