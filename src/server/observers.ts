import type { Plugin } from '../core/plugin.ts'
import { answers } from '../plugins/answers.ts'
import { capturers } from '../plugins/capturers.ts'
import { cost } from '../plugins/cost.ts'
import type { Config } from './config.ts'

/** What makes records of what requests and replies say, as far as the configuration asks for it. */
export function observers(config: Config): Plugin[] {
  const { toolResults, prices } = config
  return [
    ...capturers({
      resultContent: toolResults,
      price: config.cost ? cost({ prices }) : undefined,
    }),
    ...(config.answers ? [answers()] : []),
  ]
}
