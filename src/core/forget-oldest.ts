/**
 * Keeps a map at about `max` entries, the newest ones, by the order of insertion. A sixteenth goes at once: a map
 * whose first entries were deleted one by one is slow to begin with.
 */
export function forgetOldest<Key>(map: Map<Key, unknown>, max: number): void {
  if (map.size <= max + (max >> 4)) return
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
