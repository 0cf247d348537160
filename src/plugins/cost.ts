import { hash } from 'node:crypto'
import { SluiceError } from '../core/errors.ts'
import { listPrice } from './prices/list-price.ts'
import { checkPrices, type ModelPrices, ownPrice } from './prices/own-price.ts'
import type { Price } from './token-counter.ts'

export interface CostOptions {
  /**
   * Prices of your own, in US dollars per million tokens, by the model's name as clients ask for it, or by
   * `provider/model`: they count before the list's.
   */
  readonly prices?: Readonly<Record<string, ModelPrices>>
}

/**
 * What replies cost, for `tokenCounter({ price: cost() })`: by your own prices, else by the list of
 * `@pydantic/genai-prices`. What neither can price for sure is null, never 0. Nothing is fetched.
 */
export function cost({ prices = {} }: CostOptions = {}): Price {
  const faults = checkPrices(prices)
  if (faults.length > 0) throw new SluiceError(faults.join('\n'), { code: 'ERR_PRICES' })
  const own = new Map(
    Object.entries(prices).map(([model, row]) => [
      model,
      // Names the row that was used: another price is another version.
      { row, version: hash('sha1', JSON.stringify(row), 'hex').slice(0, 12) },
    ]),
  )
  return (usage, interception) => {
    const { providerName, model } = interception
    const found = own.get(`${providerName}/${model}`) ?? own.get(model)
    if (!found) return listPrice(usage, interception)
    const costNanoUsd = ownPrice(usage, found.row)
    return costNanoUsd === null
      ? null
      : { costNanoUsd, priceSource: 'configuration', priceVersion: found.version }
  }
}
