import type { UsageEvent } from '../../core/events.ts'
import { isObject } from '../../core/json.ts'

/** US dollars per million tokens. */
export interface TokenPrices {
  readonly input: number
  readonly output: number
  /** @default as `input` */
  readonly cacheRead?: number
  /** Kept for five minutes, or for as long as nobody says. @default as `input` */
  readonly cacheWrite?: number
  /** Kept for an hour. @default as `cacheWrite` */
  readonly cacheWrite1h?: number
}

export interface ModelPrices extends TokenPrices {
  /** Other prices for long contexts: of the tiers that are exceeded the highest counts, for all tokens. */
  readonly tiers?: readonly (TokenPrices & {
    /** Input tokens, cached ones among them. */
    readonly above: number
  })[]
}

/** What a reply costs by a row of the user's own, in nano-dollars; null where that is no number. */
export function ownPrice(usage: UsageEvent, row: ModelPrices): number | null {
  const { inputTokens, cacheReadInputTokens, cacheWriteInputTokens, outputTokens } = usage
  const context = inputTokens + cacheReadInputTokens + cacheWriteInputTokens
  const { input, output, cacheRead, cacheWrite, cacheWrite1h } = tierOf(row, context)
  const written = cacheWrite ?? input
  const forAnHour = hourWrites(usage)
  const millionths =
    inputTokens * input +
    cacheReadInputTokens * (cacheRead ?? input) +
    (cacheWriteInputTokens - forAnHour) * written +
    forAnHour * (cacheWrite1h ?? written) +
    outputTokens * output
  const nanos = Math.round(millionths * 1000)
  return Number.isSafeInteger(nanos) ? nanos : null
}

/** Cache writes kept for an hour; the total is the authority, the rest of it is kept for five minutes. */
export function hourWrites({ cacheWriteInputTokens, metadata }: UsageEvent): number {
  const split = metadata.cache_write_1h_input_tokens
  return typeof split === 'number' ? Math.min(split, cacheWriteInputTokens) : 0
}

/** What is wrong with a table of prices, a line for each fault. */
export function checkPrices(prices: unknown): string[] {
  if (!isObject(prices)) return ['prices: must be prices by model name']
  return Object.entries(prices).flatMap(([model, row]) => {
    const place = `prices.${model}`
    const tiers = isObject(row) ? (row.tiers ?? []) : []
    return [
      ...checkRow(place, row, 'tiers'),
      ...(Array.isArray(tiers)
        ? tiers.flatMap((tier, index) => checkRow(`${place}.tiers[${index}]`, tier, 'above'))
        : [`${place}.tiers: must be a list`]),
    ]
  })
}

function checkRow(place: string, row: unknown, further: 'tiers' | 'above'): string[] {
  if (!isObject(row)) return [`${place}: must be an object such as { input: 3, output: 15 }`]
  const needed = ['input', 'output', ...(further === 'above' ? [further] : [])]
  const figures = [...needed, 'cacheRead', 'cacheWrite', 'cacheWrite1h']
  return [
    ...Object.keys(row)
      .filter((name) => !figures.includes(name) && name !== further)
      .map((name) => `${place}.${name}: unknown`),
    ...figures
      .filter((name) => (needed.includes(name) || name in row) && !isPrice(row[name]))
      .map((name) => `${place}.${name}: must be a number, 0 or above`),
  ]
}

function isPrice(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function tierOf({ tiers = [], ...base }: ModelPrices, context: number): TokenPrices {
  return tiers
    .filter(({ above }) => context > above)
    .reduce<TokenPrices & { above?: number }>(
      (highest, tier) => (tier.above >= (highest.above ?? 0) ? tier : highest),
      base,
    )
}
