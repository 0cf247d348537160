import assert from 'node:assert/strict'
import test from 'node:test'
import type { UsageEvent } from '../../../src/core/events.ts'
import { anthropicMessages } from '../../../src/core/formats/anthropic-messages/format.ts'
import { openaiChat } from '../../../src/core/formats/openai-chat/format.ts'
import { openaiResponses } from '../../../src/core/formats/openai-responses/format.ts'
import { frame } from '../../support/frames.ts'
import { type ReadReply, readBody, readStream } from '../../support/read-reply.ts'

type Figures = [input: number, output: number, cacheRead: number, cacheWrite: number]

const chat: [string, object, Figures, object?][] = [
  [
    'OpenAI',
    {
      prompt_tokens: 100,
      completion_tokens: 7,
      total_tokens: 107,
      prompt_tokens_details: { cached_tokens: 80, audio_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 1 },
    },
    [20, 7, 80, 0],
    { audio_input_tokens: 2, audio_output_tokens: 1, reasoning_output_tokens: 3 },
  ],
  [
    'OpenAI cache writes',
    {
      prompt_tokens: 100,
      completion_tokens: 7,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
    },
    [10, 7, 60, 30],
  ],
  [
    'more cached than asked',
    { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 20 } },
    [0, 1, 20, 0],
  ],
  [
    'DeepSeek',
    {
      prompt_tokens: 50,
      completion_tokens: 5,
      prompt_cache_hit_tokens: 30,
      prompt_cache_miss_tokens: 20,
    },
    [20, 5, 30, 0],
  ],
  [
    'DeepSeek without a total',
    { completion_tokens: 5, prompt_cache_hit_tokens: 30, prompt_cache_miss_tokens: 20 },
    [20, 5, 30, 0],
  ],
  ['Kimi', { prompt_tokens: 50, completion_tokens: 5, cached_tokens: 40 }, [10, 5, 40, 0]],
  ['Mistral', { prompt_tokens: 50, completion_tokens: 5, num_cached_tokens: 40 }, [10, 5, 40, 0]],
  [
    'a gateway before Anthropic',
    {
      prompt_tokens: 50,
      completion_tokens: 5,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 15,
    },
    [5, 5, 30, 15],
  ],
  [
    'xAI, reasoning beside output',
    {
      prompt_tokens: 32,
      completion_tokens: 9,
      total_tokens: 133,
      completion_tokens_details: { reasoning_tokens: 92 },
    },
    [32, 101, 0, 0],
    { reasoning_output_tokens: 92 },
  ],
  ['output alone', { completion_tokens: 5 }, [0, 5, 0, 0]],
  ['input alone', { prompt_tokens: 5 }, [5, 0, 0, 0]],
  ['zeros', { prompt_tokens: 0, completion_tokens: 0 }, [0, 0, 0, 0]],
]
for (const [name, usage, expected, metadata = {}] of chat) {
  test(`Chat usage of ${name}`, () => {
    const whole = readBody(openaiChat, { id: 'x', choices: [], usage })
    const stream = readStream(openaiChat, [
      frame('', { id: 'x', choices: [], usage }),
      frame('', '[DONE]'),
    ])
    for (const reply of [whole, stream]) {
      assert.deepEqual(figures(reply), expected)
      assert.deepEqual(reply.usage?.metadata, metadata)
    }
  })
}

for (const usage of [undefined, null, {}, { service_tier: 'x' }, { prompt_tokens: '5' }, 5]) {
  test(`no figures in ${JSON.stringify(usage)}: no usage, never an estimate`, () => {
    const reply = readBody(openaiChat, { choices: [{ message: { content: 'hello' } }], usage })
    assert.equal(reply.usage, undefined)
  })
}

test('Chat usage rides on any chunk: with choices, in a choice, in a vendor’s member', () => {
  const usage = { prompt_tokens: 3, completion_tokens: 2 }
  const choices = [{ index: 0, delta: {}, finish_reason: 'stop' }]
  const chunks = [
    { choices, usage },
    { choices: [{ ...choices[0], usage }] },
    { choices, x_groq: { usage } },
  ]
  for (const chunk of chunks) {
    assert.deepEqual(figures(readStream(openaiChat, [frame('', chunk)])), [3, 2, 0, 0])
  }
})

test('usage that is repeated on every chunk is not added up', () => {
  const chunks = [1, 2, 3].map((completion_tokens) =>
    frame('', { choices: [], usage: { prompt_tokens: 9, completion_tokens } }),
  )
  const reply = readStream(openaiChat, [...chunks, frame('', { choices: [], usage: null })])
  assert.deepEqual(figures(reply), [9, 3, 0, 0])
  const told = reply.events.filter(({ type }) => type === 'usage') as UsageEvent[]
  assert.deepEqual(
    told.map(({ final }) => final),
    [false, true],
  )
})

test('the service tier is that of the reply', () => {
  const usage = { input_tokens: 1, output_tokens: 1 }
  const whole = readBody(openaiResponses, { status: 'completed', service_tier: 'default', usage })
  const stream = readStream(openaiResponses, [
    frame('response.created', { response: { service_tier: 'auto', usage: null } }),
    frame('response.completed', { response: { service_tier: 'default', usage } }),
  ])
  for (const reply of [whole, stream]) assert.equal(reply.usage?.metadata.service_tier, 'default')
})

const start = (usage: unknown) =>
  frame('message_start', { type: 'message_start', message: { id: 'msg_1', usage } })
const delta = (usage: unknown) =>
  frame('message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage })
const stop = frame('message_stop', { type: 'message_stop' })

const messages: [string, unknown, unknown, Figures | undefined][] = [
  [
    'output in the delta is the total',
    { input_tokens: 5, output_tokens: 5 },
    { output_tokens: 61 },
    [5, 61, 0, 0],
  ],
  [
    'zeros first, all in the delta',
    { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0 },
    {
      input_tokens: 8,
      output_tokens: 3,
      cache_read_input_tokens: 70,
      cache_creation_input_tokens: 4,
    },
    [8, 3, 70, 4],
  ],
  [
    'only the delta has any',
    null,
    { input_tokens: 8, output_tokens: 3, cache_read_input_tokens: 70 },
    [8, 3, 70, 0],
  ],
  [
    'null does not undo',
    { input_tokens: 8, output_tokens: 1, cache_read_input_tokens: 70 },
    { input_tokens: null, output_tokens: 9, cache_read_input_tokens: null },
    [8, 9, 70, 0],
  ],
  ['no input in the delta', { input_tokens: 8 }, { output_tokens: 9 }, [8, 9, 0, 0]],
  ['none at all', undefined, undefined, undefined],
  [
    'a split without a total',
    {
      input_tokens: 1,
      output_tokens: 1,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    },
    { output_tokens: 2 },
    [1, 2, 0, 30],
  ],
]
for (const [name, first, last, expected] of messages) {
  test(`Messages usage: ${name}`, () => {
    assert.deepEqual(
      figures(readStream(anthropicMessages, [start(first), delta(last), stop])),
      expected,
    )
  })
}

test('the total of cache writes is the authority where its split does not add up', () => {
  const usage = {
    input_tokens: 1,
    output_tokens: 2,
    cache_creation_input_tokens: 100,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    output_tokens_details: { thinking_tokens: 1 },
    server_tool_use: { web_search_requests: 3 },
    service_tier: 'standard',
  }
  const reply = readBody(anthropicMessages, { id: 'msg_1', usage })
  assert.deepEqual(figures(reply), [1, 2, 0, 100])
  assert.deepEqual(reply.usage?.metadata, {
    reasoning_output_tokens: 1,
    cache_write_5m_input_tokens: 10,
    cache_write_1h_input_tokens: 20,
    web_search_requests: 3,
    service_tier: 'standard',
  })
})

test('a Messages stream that is cut keeps what its start said', () => {
  const reply = readStream(anthropicMessages, [start({ input_tokens: 25, output_tokens: 1 })])
  assert.deepEqual(figures(reply), [25, 1, 0, 0])
  assert.equal(reply.verdict.outcome, 'upstream_cut')
})

for (const status of ['completed', 'incomplete', 'failed']) {
  test(`Responses usage of response.${status}, streamed and not`, () => {
    const response = {
      id: 'resp_1',
      status,
      usage: {
        input_tokens: 50,
        input_tokens_details: { cached_tokens: 40, cache_write_tokens: 6 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 2 },
      },
    }
    const stream = readStream(openaiResponses, [frame(`response.${status}`, { response })])
    for (const reply of [stream, readBody(openaiResponses, response)]) {
      assert.deepEqual(figures(reply), [4, 5, 40, 6])
      assert.equal(reply.usage?.metadata.reasoning_output_tokens, 2)
      assert.equal(reply.usage?.messageId, 'resp_1')
    }
  })
}

function figures({ usage }: ReadReply): Figures | undefined {
  if (!usage) return undefined
  return [
    usage.inputTokens,
    usage.outputTokens,
    usage.cacheReadInputTokens,
    usage.cacheWriteInputTokens,
  ]
}
