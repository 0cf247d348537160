import { readFileSync } from 'node:fs'
import { calcPrice, type ModelPrice, type PriceCalculation } from '@pydantic/genai-prices'
import type { UsageEvent } from '../../core/events.ts'
import type { Interception } from '../../core/interception.ts'
import type { Cost } from '../token-counter.ts'
import { hourWrites } from './own-price.ts'

type ListProvider = PriceCalculation['provider']
type Amounts = Record<string, number>

const source = '@pydantic/genai-prices'

/** What a reply costs by the list; null where the model is not in it, or something it used has no price there. */
export function listPrice(
  usage: UsageEvent,
  { provider, providerName, model, startedAt: timestamp }: Interception,
): Cost | null {
  if (!isStandardTier(usage)) return null
  const table = tableOf(providerName, provider, model)
  if (!table) return null
  const tokens = amountsOf(usage)
  const { model_price: prices } = calcPrice(tokens, model, { provider: table, timestamp }) ?? {}
  const extras = prices && extrasOf(usage, prices)
  // The list takes what it has no price for as free.
  if (!extras || !prices.input_mtok || (usage.outputTokens > 0 && !prices.output_mtok)) return null
  const all = { ...tokens, ...extras }
  const dollars = calcPrice(all, model, { provider: table, timestamp })?.total_price
  const costNanoUsd = Math.round((dollars ?? Number.NaN) * 1e9)
  if (!Number.isSafeInteger(costNanoUsd) || costNanoUsd < 0) return null
  return { costNanoUsd, priceSource: source, priceVersion: version }
}

const version = readVersion()

function readVersion(): string {
  try {
    const url = new URL('../package.json', import.meta.resolve(source))
    return String((JSON.parse(readFileSync(url, 'utf8')) as { version: unknown }).version)
  } catch {
    // Bundled into one file.
    return 'unknown'
  }
}

const tables = new Map<string, ListProvider | null>()

/**
 * The list of one provider, cut down to one model: finding it takes most of the time. An instance may be named
 * for a vendor whose API is like another's (`groq`, `openrouter`).
 */
function tableOf(providerName: string, provider: string, model: string): ListProvider | null {
  const key = `${providerName}/${provider}/${model}`
  let table = tables.get(key)
  if (table !== undefined) return table
  table = model.length > 256 ? null : (find(providerName, model) ?? find(provider, model))
  if (tables.size >= 1000) tables.clear()
  if (key.length < 400) tables.set(key, table)
  return table
}

function find(providerId: string, modelName: string): ListProvider | null {
  const found = calcPrice({}, modelName, { providerId })
  if (!found) return null
  const { fallback_model_providers: _, ...provider } = found.provider
  return { ...provider, models: [found.model] }
}

/** In the list's terms input includes what was read from and written to a cache. */
function amountsOf(usage: UsageEvent): Amounts {
  const { inputTokens, cacheReadInputTokens, cacheWriteInputTokens, outputTokens } = usage
  const forAnHour = hourWrites(usage)
  return {
    input_tokens: inputTokens + cacheReadInputTokens + cacheWriteInputTokens,
    output_tokens: outputTokens,
    ...(cacheReadInputTokens > 0 && { cache_read_tokens: cacheReadInputTokens }),
    ...(cacheWriteInputTokens > 0 && { cache_write_tokens: cacheWriteInputTokens }),
    ...(forAnHour > 0 && { cache_write_1h_tokens: forAnHour }),
  }
}

/** What is billed beside plain tokens; null where the list has no price for it. */
function extrasOf({ metadata }: UsageEvent, prices: ModelPrice): Amounts | null {
  const extras: Amounts = {}
  for (const { figure, price, amount } of units) {
    const value = metadata[figure]
    if (typeof value !== 'number' || value <= 0) continue
    // Perplexity bills the request, its searches included.
    if (figure === 'web_search_requests' && prices.requests_kcount) continue
    if (!prices[price]) return null
    extras[amount] = value
  }
  return extras
}

const units = [
  { figure: 'audio_input_tokens', price: 'input_audio_mtok', amount: 'input_audio_tokens' },
  { figure: 'audio_output_tokens', price: 'output_audio_mtok', amount: 'output_audio_tokens' },
  { figure: 'web_search_requests', price: 'web_searches_kcount', amount: 'web_searches' },
]

/** Batch, flex and priority have prices of their own, which the list does not know. */
function isStandardTier({ metadata: { service_tier: tier } }: UsageEvent): boolean {
  return (
    tier === undefined || ['', 'standard', 'default', 'auto', 'on_demand'].includes(String(tier))
  )
}
