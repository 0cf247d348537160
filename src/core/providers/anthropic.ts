import { anthropicMessages } from '../formats/anthropic-messages/format.ts'
import { defineProvider, type Provider, type ProviderOptions } from '../provider.ts'

/** Anthropic, or a host that speaks its API. */
export function anthropic(options: ProviderOptions = {}): Provider {
  return defineProvider(
    {
      type: 'anthropic',
      vendorUrl: 'https://api.anthropic.com',
      intercepted: { '/messages': anthropicMessages },
      passthrough: ['/models', '/models/*', '/messages/count_tokens'],
      rootPassthrough: ['/api/event_logging/*'],
    },
    options,
  )
}
