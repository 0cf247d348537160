import { parseJson } from '../../core/json.ts'

/** An object or list that is derived, as it was stored; what is damaged is `none` until `reindex` makes it anew. */
export function parsedOr<Value extends object>(text: unknown, none: Value): Value {
  // What was not there before is no fault, and a fault that is thrown is dear.
  const value = typeof text === 'string' ? parseJson(text) : undefined
  const isOne = typeof value === 'object' && value !== null
  return isOne && Array.isArray(value) === Array.isArray(none) ? (value as Value) : none
}
