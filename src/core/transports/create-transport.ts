import type { Transport, TransportOptions } from '../upstream.ts'
import { gotTransport } from './got.ts'
import { undiciTransport } from './undici.ts'

/** The HTTP client by its name, or the one that was given. */
export function createTransport(
  choice: 'undici' | 'got' | Transport,
  options: TransportOptions,
): Transport {
  if (typeof choice !== 'string') return choice
  return choice === 'got' ? gotTransport(options) : undiciTransport(options)
}
