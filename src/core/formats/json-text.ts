/** The value as JSON text; empty where it has none. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    // JSON.parse takes any depth, JSON.stringify overflows the stack at some thousands.
    return ''
  }
}

/** Text as it is, anything else as JSON text; nothing for null and undefined. */
export function textOrJson(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : jsonText(value)
}

/**
 * JSON without the white space that a stream's pieces carry, so that streamed and whole arguments agree.
 * What is no JSON, or holds a number that a double would change, stays as the model wrote it.
 */
export function compactJson(text: string): string {
  if (/\d{16}|\d[eE]/.test(text)) return text
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}
