/** `2026-01-31 18:00:00`, in UTC as everywhere. */
export function clock(time: unknown): string {
  return typeof time === 'string' ? time.slice(0, 19).replace('T', ' ') : ''
}

/** `12,345` */
export function figure(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : ''
}

/** `$0.0123`, of billionths. */
export function dollars(nano: unknown): string {
  if (typeof nano !== 'number') return ''
  const value = nano / 1e9
  return `$${value.toFixed(value >= 100 || value === 0 ? 2 : 4)}`
}

/** `2.31 s` */
export function seconds(ms: unknown): string {
  if (typeof ms !== 'number') return ''
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`
}
