import type { Plugin } from '../core/plugin.ts'
import { answers } from '../plugins/answers.ts'
import { capturers } from '../plugins/capturers.ts'
import { cost } from '../plugins/cost.ts'
import type { Price } from '../plugins/token-counter.ts'
import type { Config } from './config.ts'

/** What makes records of what requests and replies say, as far as the configuration asks for it. */
export function observers(config: Config, price: Price): Plugin[] {
  const { toolResults } = config
  return [
    ...capturers({
      resultContent: toolResults,
      price,
    }),
    ...(config.answers ? [answers()] : []),
  ]
}

/** What replies cost, by the file's prices and the list; nothing has a price where that is turned off. */
export function priceBy({ cost: isAsked, prices }: Pick<Config, 'cost' | 'prices'>): Price {
  return isAsked ? cost({ prices }) : () => null
}
