import { isIPv6 } from 'node:net'
import { forgetOldest } from '../../core/forget-oldest.ts'

export interface FailedTriesOptions {
  /** So many at once. @default 20 */
  readonly burst?: number
  /** And then one more each so many ms. @default 3000 */
  readonly everyMs?: number
  /** Addresses that are remembered. @default 10,000 */
  readonly max?: number
  readonly now?: () => number
}

/** How often each address has failed of late: a bucket that fills again. */
export class FailedTries {
  readonly #buckets = new Map<string, { left: number; at: number }>()
  readonly #burst: number
  readonly #everyMs: number
  readonly #max: number
  readonly #now: () => number

  constructor({
    burst = 20,
    everyMs = 3000,
    max = 10_000,
    now = () => performance.now(),
  }: FailedTriesOptions = {}) {
    this.#burst = burst
    this.#everyMs = everyMs
    this.#max = max
    this.#now = now
  }

  /** How long an address has to wait before its next try, in ms; 0 where it need not. */
  wait(address: string): number {
    const left = this.#left(groupOf(address))
    return left >= 1 ? 0 : Math.ceil((1 - left) * this.#everyMs)
  }

  /** Notes a failure; true where it used up the last try. */
  note(address: string): boolean {
    const group = groupOf(address)
    const left = Math.max(0, this.#left(group) - 1)
    this.#buckets.delete(group)
    this.#buckets.set(group, { left, at: this.#now() })
    forgetOldest(this.#buckets, this.#max)
    return left < 1
  }

  #left(group: string): number {
    const bucket = this.#buckets.get(group)
    if (!bucket) return this.#burst
    return Math.min(this.#burst, bucket.left + (this.#now() - bucket.at) / this.#everyMs)
  }
}

/** Of IPv6 a network of 64 bits is one customer's: there are no end of addresses in it. */
function groupOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? 0 : tail.split(':').length
  while (tail !== undefined && groups.length + rest < 8) groups.push('0')
  return [...groups, ...(tail ?? '').split(':')].slice(0, 4).join(':')
}
