/** Offsets inside the bytes at which to cut them: always the same ones for the same bytes. */
export function randomCuts(bytes: Uint8Array, count: number): number[] {
  let seed = bytes.length + 1
  const next = () => {
    // A linear congruential generator, as in Numerical Recipes: repeatable is all that it must be.
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed
  }
  const cuts = Array.from({ length: count }, () => 1 + (next() % Math.max(1, bytes.length - 1)))
  return [...new Set(cuts)].sort((a, b) => a - b)
}

/** The bytes cut at the offsets. */
export function chunked(bytes: Uint8Array, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts, bytes.length]
  return ends
    .map((end, index) => Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)))
    .filter(({ length }) => length > 0)
}
