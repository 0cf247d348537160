/** What OpenAI-like servers take for true: `true`, a number but 0, `"true"`, `"t"`, `"1"`. */
export function laxBoolean(value: unknown): boolean {
  if (typeof value === 'string') return ['true', 't', '1'].includes(value.toLowerCase())
  return value === true || (typeof value === 'number' && value !== 0)
}
