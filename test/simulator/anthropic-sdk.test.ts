import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { fakeUpstream } from '../../src/simulator/server.ts'

const upstream = await fakeUpstream()
after(() => upstream.close())
const client = new Anthropic({ baseURL: upstream.url, apiKey: 'k', maxRetries: 0 })

const add: Anthropic.Tool = {
  name: 'add',
  input_schema: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
}
const base = { model: 'claude-simulated', max_tokens: 1024 }
const user = (content: string): Anthropic.MessageParam => ({ role: 'user', content })

for (const stream of [false, true]) {
  const how = stream ? 'streamed' : 'blocking'
  const ask = (params: Anthropic.MessageCreateParamsNonStreaming) =>
    stream ? client.messages.stream(params).finalMessage() : client.messages.create(params)

  test(`the Anthropic SDK reads a ${how} answer: thinking with a signature, parallel calls, usage`, async () => {
    const answer = await ask({
      ...base,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      tools: [add],
      messages: [user('Use the add tool for 3 and 5, in parallel.')],
    })
    const [thinking, text, ...calls] = answer.content
    assert.ok(thinking?.type === 'thinking' && thinking.thinking && thinking.signature)
    assert.ok(text?.type === 'text' && text.text)
    assert.equal(calls.length, 2)
    for (const call of calls) {
      assert.ok(call.type === 'tool_use')
      assert.deepEqual([call.name, call.input], ['add', { a: 3, b: 5 }])
    }
    assert.equal(answer.stop_reason, 'tool_use')
    assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0)
  })

  test(`a ${how} answer to tool results is a text that quotes them, and cached tokens are told apart`, async () => {
    const answer = await ask({
      ...base,
      tools: [add],
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [
        user('Use the add tool for 3 and 5.'),
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'add', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'eight' }] },
      ],
    })
    assert.equal(answer.stop_reason, 'end_turn')
    assert.match(answer.content.map((block) => block.type === 'text' && block.text).join(), /eight/)
    assert.ok((answer.usage.cache_read_input_tokens ?? 0) > 0)
    assert.ok((answer.usage.cache_creation_input_tokens ?? 0) > 0)
  })

  test(`a ${how} answer stops at max_tokens`, async () => {
    const answer = await ask({ ...base, max_tokens: 3, messages: [user('hello')] })
    assert.equal(answer.stop_reason, 'max_tokens')
    assert.equal(answer.usage.output_tokens, 3)
  })

  for (const [status, type] of [
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [429, 'rate_limit_error'],
    [529, 'overloaded_error'],
  ] as const) {
    test(`a ${how} request is refused with ${status} as the SDK expects it`, async () => {
      upstream.next({ status })
      const error = await ask({ ...base, messages: [user('hi')] }).then(
        () => assert.fail('answered'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof Anthropic.APIError)
      assert.equal(error.status, status)
      assert.deepEqual((error.error as { error: { type: string } }).error.type, type)
      assert.match(error.requestID ?? '', /^req_/)
      assert.equal(error.headers?.get('retry-after'), status === 429 || status === 529 ? '1' : null)
    })
  }
}

test('an error event amid the stream reaches the SDK as an error', async () => {
  upstream.next({ error: 4 })
  const answer = client.messages.stream({ ...base, messages: [user('hi')] }).finalMessage()
  await assert.rejects(answer, /overloaded_error/)
})

test('the request id, token counts and the list of models are there', async () => {
  const { request_id } = await client.messages
    .create({ ...base, messages: [user('hi')] })
    .withResponse()
  assert.match(request_id ?? '', /^req_/)
  const counted = await client.messages.countTokens({ model: 'm', messages: [user('hi')] })
  assert.ok(counted.input_tokens > 0)
  const { data } = await client.models.list()
  assert.ok(data.every(({ type }) => type === 'model'))
})

test('an answer by JSON schema follows it', async () => {
  const answer = await client.messages.create({
    ...base,
    messages: [user('<session>\nrepair the boat\n</session>\n\nWrite the title')],
    output_config: {
      format: {
        type: 'json_schema',
        schema: { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] },
      },
    },
  })
  const [block] = answer.content
  assert.ok(block?.type === 'text')
  assert.deepEqual(JSON.parse(block.text), { title: 'repair the boat' })
})
