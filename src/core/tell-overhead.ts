import type { Diagnostics } from './diagnostics.ts'
import type { Provider } from './provider.ts'
import type { Facts } from './settlement.ts'

/**
 * Counts what the gateway itself took of a request: until it was sent upstream, and while the reply's end was held
 * back. Neither the upstream's time is in it nor what the client took to send the body.
 */
export function tellOverhead(
  { overhead }: Diagnostics,
  { name }: Provider,
  { busySince, sentUpstreamAt, heldMs }: Facts,
): void {
  if (sentUpstreamAt !== null) overhead.of(name).observe(sentUpstreamAt - busySince + heldMs)
}
