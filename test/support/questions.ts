import type { JsonObject } from '../../src/core/json.ts'

export interface Question {
  /** Of the gateway. */
  readonly path: string
  readonly ask: JsonObject & { readonly model: string }
}

const tool = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const model = 'test-model'
const prompt = 'What is the weather in Oslo?'
const messages = [{ role: 'user', content: prompt }]

/** One question to each format, which the simulated model answers with a tool call. */
export const routes: Readonly<Record<'messages' | 'chat' | 'responses', Question>> = {
  messages: {
    path: '/anthropic/v1/messages',
    ask: {
      model,
      messages,
      max_tokens: 1000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      tools: [{ name: 'get_weather', input_schema: tool }],
    },
  },
  chat: {
    path: '/openai/v1/chat/completions',
    ask: {
      model,
      messages,
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: tool } }],
    },
  },
  responses: {
    path: '/openai/v1/responses',
    ask: {
      model,
      input: prompt,
      tools: [{ type: 'function', name: 'get_weather', parameters: tool }],
    },
  },
}
