import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { JsonObject } from '../../src/core/json.ts'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import type { Attributes } from '../support/otlp/messages.ts'
import { otlpReceiver } from '../support/otlp/receiver.ts'
import { routes } from '../support/questions.ts'
import { TracedGateways } from '../support/traces.ts'

let upstream: FakeUpstream
let gateways: TracedGateways
let both: GatewayProcess
let dev: GatewayProcess
let old: GatewayProcess

before(async () => {
  upstream = await fakeUpstream()
  gateways = new TracedGateways(upstream, await otlpReceiver())
  ;[both, dev, old] = await Promise.all([
    gateways.start(['--semconv', 'both']),
    gateways.start(['--semconv', 'genai-dev']),
    gateways.start([]),
  ])
})

after(() => gateways.close())

const answering = 'test-model-2026-01-15'

for (const [name, { path, ask }] of Object.entries(routes)) {
  for (const stream of [true, false]) {
    test(`${name}, ${stream ? 'streamed' : 'blocking'}: the model is named that answers, and the one that was asked`, async () => {
      const raw = await answerOf(path, { ...ask, stream, model: answering })
      const headers = { 'content-type': stream ? 'text/event-stream' : 'application/json' }
      const { attributes, reply } = await span(old, path, { ...ask, stream }, { raw, headers })
      equal(attributes['gen_ai.request.model'], 'test-model')
      equal(attributes['gen_ai.response.model'], answering)
      // The id is there also where no usage, text or call tells it.
      equal(attributes['gen_ai.response.id'], reply)
      equal(attributes['gen_ai.output.type'], undefined)
      ok(Array.isArray(attributes['gen_ai.response.finish_reasons']))
      // A first chunk is something that streams have.
      equal('gen_ai.response.time_to_first_chunk' in attributes, stream)
      equal('openai.response.system_fingerprint' in attributes, name === 'chat')
      equal(attributes['error.type'], undefined)
    })
  }
}

test('a blocking reply that is read off the thread names its model, too', async () => {
  const { path, ask } = routes.messages
  const reply = { answer: { fill: { events: 1, bytes: 5 * 1024 * 1024 } } }
  const { attributes } = await span(old, path, ask, reply)
  equal(attributes['gen_ai.response.model'], 'test-model')
})

test('a reply that names no model: none is made up', async () => {
  const { path, ask } = routes.chat
  const { attributes } = await span(old, path, ask, { status: 500 })
  equal(attributes['gen_ai.response.model'], undefined)
  equal(attributes['gen_ai.response.id'], undefined)
  deepEqual(attributes['gen_ai.response.finish_reasons'], ['error'])
  equal(attributes['error.type'], 'server_error')
  equal(attributes['http.response.status_code'], 500)
})

test('parameters of a request are told in the conventions’ names', async () => {
  const chat = await span(old, routes.chat.path, {
    ...routes.chat.ask,
    n: 2,
    seed: 7,
    stop: 'END',
    frequency_penalty: 0.25,
    presence_penalty: 0.5,
    top_p: 0.9,
    max_completion_tokens: 50,
    service_tier: 'flex',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
  })
  deepEqual(some(chat.attributes, [/^gen_ai\.request/, /^openai\.(request|api)/, /output\.type/]), {
    'gen_ai.request.model': 'test-model',
    'gen_ai.request.choice.count': 2,
    'gen_ai.request.seed': 7,
    'gen_ai.request.stop_sequences': ['END'],
    'gen_ai.request.frequency_penalty': 0.25,
    'gen_ai.request.presence_penalty': 0.5,
    'gen_ai.request.top_p': 0.9,
    'gen_ai.request.max_tokens': 50,
    'gen_ai.output.type': 'json',
    'openai.request.service_tier': 'flex',
    'openai.api.type': 'chat_completions',
  })
  const responses = await span(old, routes.responses.path, {
    ...routes.responses.ask,
    conversation: { id: 'conv_1' },
    text: { format: { type: 'text' } },
    service_tier: 'auto',
  })
  equal(responses.attributes['gen_ai.conversation.id'], 'conv_1')
  equal(responses.attributes['gen_ai.output.type'], 'text')
  equal(responses.attributes['openai.request.service_tier'], undefined)
  equal(responses.attributes['openai.api.type'], 'responses')
})

test('a client’s own session id is the conversation, whatever its request says beside it', async () => {
  const { path, ask } = routes.responses
  const headers = { 'user-agent': 'codex_cli_rs/0.1', session_id: 'session-of-codex' }
  const { attributes } = await span(old, path, { ...ask, conversation: 'conv_1' }, {}, headers)
  equal(attributes['gen_ai.conversation.id'], 'session-of-codex')
})

test('each version of the conventions has its own names, `both` has all', async () => {
  const { path, ask } = routes.responses
  const usage = { total: 900, cacheRead: 500, cacheWrite: 300, output: 70, reasoning: 20 }
  const body = { ...ask, reasoning: { effort: 'high' }, previous_response_id: 'resp_1' }
  const reply = { answer: { usage } }
  const told = async (gateway: GatewayProcess) => {
    const { attributes } = await span(gateway, path, body, reply)
    return Object.keys(some(attributes, [/^gen_ai\.usage/, /reasoning/, /previous/])).sort()
  }
  const common = [
    'gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.input_tokens',
    'gen_ai.usage.output_tokens',
    'gen_ai.usage.reasoning.output_tokens',
  ]
  const before = ['gen_ai.usage.cache_creation.input_tokens']
  const since = [
    'gen_ai.request.previous_response.id',
    'gen_ai.request.reasoning.level',
    'gen_ai.usage.cache_write.input_tokens',
  ]
  deepEqual(await told(old), [...common, ...before].sort())
  deepEqual(await told(dev), [...common, ...since].sort())
  deepEqual(await told(both), [...common, ...before, ...since].sort())
})

test('tokens of speech are told by the names of the later conventions alone', async () => {
  const { path, ask } = routes.chat
  const raw = (await answerOf(path, ask)).replace(/("audio_tokens":\s?)0/g, (_, name) => `${name}5`)
  match(raw, /audio_tokens":\s?5/)
  const reply = { raw, headers: { 'content-type': 'application/json' } }
  const audio = async (gateway: GatewayProcess) =>
    some((await span(gateway, path, ask, reply)).attributes, [/audio/])
  deepEqual(await audio(old), {})
  deepEqual(await audio(both), {
    'gen_ai.usage.audio.input_tokens': 5,
    'gen_ai.usage.audio.output_tokens': 5,
  })
})

test('names of OpenAI are on spans of its APIs alone', async () => {
  for (const [name, { path, ask }] of Object.entries(routes)) {
    const { attributes } = await span(both, path, ask)
    const names = Object.keys(attributes).filter((each) => each.startsWith('openai.'))
    if (name === 'messages') deepEqual(names, [])
    else equal(attributes['openai.response.service_tier'], 'default')
  }
})

async function span(
  gateway: GatewayProcess,
  path: string,
  body: JsonObject,
  reply = {},
  headers = {},
): Promise<{ attributes: Attributes; reply: string }> {
  const { named } = await gateways.traced(path, body, { gateway, reply, headers })
  const [, id = ''] =
    /"id":\s?"((?:msg|chatcmpl|resp)[^"]+)"/.exec(String('raw' in reply ? reply.raw : '')) ?? []
  return { attributes: named('Intercept.ProcessRequest.Upstream').attributes, reply: id }
}

/** What the provider itself answers. */
async function answerOf(path: string, body: JsonObject): Promise<string> {
  const reply = await fetch(`${upstream.url}${path.replace(/^\/\w+/, '')}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'sk', authorization: 'Bearer sk' },
    body: JSON.stringify(body),
  })
  equal(reply.status, 200)
  return reply.text()
}

function some(attributes: Attributes, patterns: readonly RegExp[]): Attributes {
  const wanted = (name: string) => patterns.some((pattern) => pattern.test(name))
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted(name)))
}
