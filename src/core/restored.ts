import type { InterceptionRecord } from './records.ts'

/**
 * Whether a start or an end is only what its store knew beside the damaged record: no others lack members. It must not
 * take the place of a whole one.
 */
export function isRestored({ type, truncated }: InterceptionRecord): boolean {
  const isBound = type === 'interception_start' || type === 'interception_end'
  return isBound && truncated !== undefined
}
