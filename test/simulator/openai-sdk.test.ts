import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { fakeUpstream } from '../../src/simulator/server.ts'

const upstream = await fakeUpstream()
after(() => upstream.close())
const client = new OpenAI({ baseURL: `${upstream.url}/v1`, apiKey: 'k', maxRetries: 0 })

const parameters = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
}
const chatTool = { type: 'function', function: { name: 'add', parameters } } as const
const tool = { type: 'function', name: 'add', parameters, strict: true } as const
const prompt = 'Use the add tool for 3 and 5, in parallel.'

for (const stream of [false, true]) {
  const how = stream ? 'streamed' : 'blocking'
  const chat = (params: Omit<OpenAI.ChatCompletionCreateParams, 'stream'>) =>
    stream
      ? client.chat.completions
          .stream({ ...params, stream_options: { include_usage: true } })
          .finalChatCompletion()
      : client.chat.completions.create({ ...params, stream: false })
  const respond = async (params: OpenAI.Responses.ResponseCreateParamsNonStreaming) => {
    if (!stream) return client.responses.create(params)
    return client.responses.stream({ ...params, stream: true }).finalResponse()
  }

  test(`the OpenAI SDK reads a ${how} chat completion with parallel calls, every choice and usage`, async () => {
    const { choices, usage } = await chat({
      model: 'gpt-5.4',
      n: 2,
      tools: [chatTool],
      messages: [{ role: 'user', content: prompt }],
    })
    assert.equal(choices.length, 2)
    for (const { message, finish_reason } of choices) {
      assert.equal(finish_reason, 'tool_calls')
      const calls = message.tool_calls?.map((call) => call.type === 'function' && call.function)
      assert.deepEqual(
        calls?.map((call) => call && [call.name, call.arguments]),
        [
          ['add', '{"a":3,"b":5}'],
          ['add', '{"a":3,"b":5}'],
        ],
      )
    }
    assert.ok(usage && usage.completion_tokens > 0)
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
  })

  test(`a ${how} chat completion answers a tool's result in words, with what a compatible vendor thinks`, async () => {
    const { choices, usage } = await chat({
      model: 'deepseek-reasoner',
      tools: [chatTool],
      messages: [
        { role: 'user', content: prompt },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'add', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'eight' },
      ],
    })
    const message = choices[0]?.message
    assert.match(message?.content ?? '', /eight/)
    assert.equal(choices[0]?.finish_reason, 'stop')
    assert.ok((message as unknown as { reasoning_content: string }).reasoning_content)
    assert.ok((usage?.completion_tokens_details?.reasoning_tokens ?? 0) > 0)
  })

  test(`the OpenAI SDK reads a ${how} response: reasoning summary, parallel calls, usage`, async () => {
    const response = await respond({
      model: 'gpt-5.4',
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      tools: [tool],
      input: prompt,
    })
    assert.deepEqual(
      response.output.map(({ type }) => type),
      ['reasoning', 'message', 'function_call', 'function_call'],
    )
    const [reasoning, , call] = response.output
    assert.ok(reasoning?.type === 'reasoning' && reasoning.summary[0]?.text)
    assert.ok(reasoning.encrypted_content)
    assert.ok(call?.type === 'function_call')
    assert.deepEqual(JSON.parse(call.arguments), { a: 3, b: 5 })
    assert.ok((response.usage?.output_tokens_details.reasoning_tokens ?? 0) > 0)
  })

  test(`a ${how} response to a tool's output ends in words, with cached input`, async () => {
    const response = await respond({
      model: 'gpt-5.4',
      tools: [tool],
      instructions: 'Be brief. '.repeat(100),
      input: [
        { role: 'user', content: prompt },
        { type: 'function_call', call_id: 'c1', name: 'add', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'eight' },
      ],
    })
    assert.equal(response.status, 'completed')
    const [message] = response.output
    assert.ok(message?.type === 'message' && message.content[0]?.type === 'output_text')
    assert.match(message.content[0].text, /eight/)
    assert.ok((response.usage?.input_tokens_details.cached_tokens ?? 0) >= 128)
  })

  test(`a ${how} response calls a tool that takes free text`, async () => {
    const response = await respond({
      model: 'gpt-5.4',
      tools: [{ type: 'custom', name: 'code_exec' }],
      input: 'code_exec, please',
    })
    const call = response.output.at(-1)
    assert.ok(call?.type === 'custom_tool_call')
    assert.match(call.input, /^print/)
  })

  for (const status of [400, 401, 429, 503] as const) {
    test(`a ${how} request is refused with ${status} as the SDK expects it`, async () => {
      upstream.next({ status })
      const error = await chat({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }).then(
        () => assert.fail('answered'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof OpenAI.APIError)
      assert.equal(error.status, status)
      assert.ok(error.type && error.requestID)
    })
  }
}

test('a response that runs out of tokens is incomplete', async () => {
  const stream = await client.responses.create({
    model: 'm',
    input: 'hi',
    max_output_tokens: 2,
    stream: true,
  })
  let last: OpenAI.Responses.ResponseStreamEvent | undefined
  for await (const event of stream) last = event
  assert.ok(last?.type === 'response.incomplete')
  assert.equal(last.response.incomplete_details?.reason, 'max_output_tokens')
})

test('events of a response are numbered without a gap', async () => {
  const stream = await client.responses.create({ model: 'm', input: 'hi', stream: true })
  const numbers: number[] = []
  for await (const event of stream) numbers.push(event.sequence_number)
  assert.deepEqual(numbers, [...numbers.keys()])
})

test('a chat stream tells usage only if asked: null on every chunk, then a chunk without choices', async () => {
  const read = async (asked: boolean) => {
    const stream = await client.chat.completions.create({
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
      ...(asked && { stream_options: { include_usage: true } }),
    })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return chunks
  }
  const plain = await read(false)
  assert.ok(plain.every((chunk) => !('usage' in chunk)))
  const asked = await read(true)
  const last = asked.pop()
  assert.ok(last?.usage && last.choices.length === 0)
  assert.ok(asked.every(({ usage }) => usage === null))
  assert.deepEqual(
    asked.map(({ choices }) => choices),
    plain.map(({ choices }) => choices),
  )
})

test('an error amid a chat stream reaches the SDK as an error', async () => {
  upstream.next({ error: 3 })
  const stream = client.chat.completions.stream({
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
  })
  await assert.rejects(stream.finalChatCompletion(), /fault/)
})

test('an error amid a stream of a response is its last event, with the next number', async () => {
  upstream.next({ error: 3 })
  const stream = await client.responses.create({ model: 'm', input: 'hi', stream: true })
  const events: OpenAI.Responses.ResponseStreamEvent[] = []
  const reading = async () => {
    for await (const event of stream) events.push(event)
  }
  await assert.rejects(reading, { code: 'server_error' })
  assert.equal(events.length, 3)
})

test('models, embeddings, token counts and an unknown path are answered as by the vendor', async () => {
  const { data } = await client.models.list()
  assert.ok(data.every(({ object }) => object === 'model'))
  const embedded = await client.embeddings.create({ model: 'm', input: ['a', 'bb'] })
  assert.deepEqual(
    embedded.data.map(({ embedding }) => embedding.length),
    [8, 8],
  )
  const { input_tokens } = await client.responses.inputTokens.count({ model: 'm', input: 'hi' })
  assert.ok(input_tokens > 0)
  await assert.rejects(client.files.list(), { status: 404, code: 'not_found' })
})
