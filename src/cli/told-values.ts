/** `2026-01-31 18:00:00`, in UTC as everywhere. */
export function clock(time: unknown): string {
  return typeof time === 'string' ? time.slice(0, 19).replace('T', ' ') : ''
}

/** `12,345` */
export function figure(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : ''
}

/** `$0.0123`, of billionths; what lacks a price is not told as if it had been free: `unknown`, or `≥$0.0123`. */
export function dollars(nano: unknown, unpriced: unknown = 0): string {
  const known = typeof nano === 'number' ? nano / 1e9 : 0
  if (known > 0) return `${unpriced ? '≥' : ''}${priceText(known)}`
  if (unpriced) return 'unknown'
  return typeof nano === 'number' ? '$0.00' : ''
}

function priceText(value: number): string {
  return value < 0.0001 ? '<$0.0001' : `$${value.toFixed(value >= 100 ? 2 : 4)}`
}

/** `2.31 s` */
export function seconds(ms: unknown): string {
  if (typeof ms !== 'number') return ''
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`
}
