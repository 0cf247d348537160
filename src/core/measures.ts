/** Sums of what interceptions used. */
export interface Measures {
  readonly interceptions: number
  /** Of people: those of roots without a purpose. */
  readonly prompts: number
  readonly toolCalls: number
  /** Less cached ones. */
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadInputTokens: number
  readonly cacheWriteInputTokens: number
  /** In billionths of a US dollar, as far as prices are known. */
  readonly costNanoUsd: number
  /** Replies whose price is not known. */
  readonly unpriced: number
}

export const noMeasures: Measures = Object.freeze({
  interceptions: 0,
  prompts: 0,
  toolCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadInputTokens: 0,
  cacheWriteInputTokens: 0,
  costNanoUsd: 0,
  unpriced: 0,
})

export const measureNames: readonly (keyof Measures)[] = Object.keys(
  noMeasures,
) as (keyof Measures)[]

export function addMeasures(a: Measures, b: Measures): Measures {
  const sum: Record<string, number> = {}
  for (const name of measureNames) sum[name] = a[name] + b[name]
  return sum as unknown as Measures
}
