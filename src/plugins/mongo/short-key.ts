import { createHash } from 'node:crypto'

/** A text that an index can hold whatever a stranger made of it: a long one is its hash. */
export function shortKey(text: string): string {
  return text.length <= 512 ? text : createHash('sha256').update(text).digest('hex')
}
