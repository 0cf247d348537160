import type { Provider } from '../core/provider.ts'
import { anthropic } from '../core/providers/anthropic.ts'
import { openai } from '../core/providers/openai.ts'
import type { Config } from './config.ts'

/** A provider as plain data: a format is code and stays with the family, a URL does not survive a clone. */
interface PackedProvider extends Omit<Provider, 'intercepted' | 'baseUrl'> {
  readonly baseUrl: string
}

/** The parsed configuration as data that can be sent to another process. */
export interface PackedConfig extends Omit<Config, 'providers'> {
  readonly providers: readonly PackedProvider[]
}

export function packConfig(config: Config): PackedConfig {
  const providers = config.providers.map(({ intercepted: _, baseUrl, ...provider }) => ({
    ...provider,
    baseUrl: baseUrl.href,
  }))
  return { ...config, providers }
}

export function unpackConfig(packed: PackedConfig): Config {
  const providers = packed.providers.map(({ baseUrl, ...provider }) => ({
    ...provider,
    baseUrl: new URL(baseUrl),
    intercepted: families[provider.type].intercepted,
  }))
  return { ...packed, providers }
}

const families = { anthropic: anthropic(), openai: openai() }

/** What one of the workers may use of what is meant for all of them. */
export function shareOf(config: Config): Config {
  const { workers, drainMaxCount, journalMax, mcpPoolSize } = config
  return {
    ...config,
    drainMaxCount: Math.ceil(drainMaxCount / workers),
    journalMax: Math.floor(journalMax / workers),
    mcpPoolSize: Math.ceil(mcpPoolSize / workers),
  }
}
