import { openaiChat } from '../formats/openai-chat/format.ts'
import { openaiResponses } from '../formats/openai-responses/format.ts'
import { defineProvider, type Provider, type ProviderOptions } from '../provider.ts'

/** OpenAI, or any host that speaks one of its APIs. */
export function openai(options: ProviderOptions = {}): Provider {
  return defineProvider(
    {
      type: 'openai',
      vendorUrl: 'https://api.openai.com/v1',
      intercepted: { '/chat/completions': openaiChat, '/responses': openaiResponses },
      passthrough: [
        '/conversations',
        '/conversations/*',
        '/models',
        '/models/*',
        '/responses/*',
        '/embeddings',
      ],
      rootPassthrough: [],
    },
    options,
  )
}
