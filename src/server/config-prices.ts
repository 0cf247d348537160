import { checkPrices, type ModelPrices } from '../plugins/prices/own-price.ts'
import type { ConfigFile } from './config-file.ts'

/** The file's prices, which count before the list's. */
export function readPrices(
  { prices = {}, name }: ConfigFile,
  faults: string[],
): Readonly<Record<string, ModelPrices>> {
  const found = checkPrices(prices)
  faults.push(...found.map((fault) => `${name}: ${fault}`))
  return found.length > 0 ? {} : (prices as Record<string, ModelPrices>)
}
