import { isObject, type JsonObject } from '../json.ts'

/** Figures added up, member by member, lists one behind the other; what is neither is the later one's. */
export function sumUsage(earlier: JsonObject, later: JsonObject): JsonObject {
  const sum: Record<string, unknown> = { ...earlier }
  for (const [name, value] of Object.entries(later)) {
    const before = sum[name]
    if (typeof value === 'number' && typeof before === 'number') sum[name] = before + value
    else if (isObject(value) && isObject(before)) sum[name] = sumUsage(before, value)
    else if (Array.isArray(value) && Array.isArray(before)) sum[name] = [...before, ...value]
    else sum[name] = value ?? before ?? null
  }
  return sum
}
