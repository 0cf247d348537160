import type { UsageEvent } from '../core/events.ts'
import type { Interception } from '../core/interception.ts'
import type { Plugin } from '../core/plugin.ts'
import type { TokenUsage } from '../core/records.ts'
import { toRecords } from '../core/to-records.ts'

/** What a reply cost and by which prices. */
export type Cost = Pick<TokenUsage, 'costNanoUsd' | 'priceSource' | 'priceVersion'>

/** Prices a reply's final usage; null where that can't be done for sure. Called once a reply. */
export type Price = (usage: UsageEvent, interception: Interception) => Cost | null

export interface TokenCounterOptions {
  /** Such as `cost()`. @default nothing has a price */
  readonly price?: Price | undefined
}

/** Keeps the provider's own figures: one `token_usage` an upstream reply, replaced as they become known. */
export const tokenCounter = ({ price = () => null }: TokenCounterOptions = {}): Plugin => ({
  name: 'token-counter',
  observes: ['usage'],
  observe: (events$, interception) =>
    events$.pipe(
      toRecords((event, records) => {
        if (event.type !== 'usage') return
        const { type: _, messageId, round, final, ...figures } = event
        records.next({
          type: 'token_usage',
          key: String(round),
          provisional: !final,
          msgId: messageId,
          ...figures,
          ...(final ? costOf(event, interception, price) : unknown),
        })
      }),
    ),
})

const unknown: Cost = { costNanoUsd: null, priceSource: null, priceVersion: null }

/** Whatever ails the prices, the figures are kept. */
function costOf(usage: UsageEvent, interception: Interception, price: Price): Cost {
  try {
    const { costNanoUsd = null, priceSource, priceVersion } = price(usage, interception) ?? unknown
    return Number.isSafeInteger(costNanoUsd) ? { costNanoUsd, priceSource, priceVersion } : unknown
  } catch {
    return unknown
  }
}
