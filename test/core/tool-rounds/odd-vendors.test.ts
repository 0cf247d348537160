import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formats } from '../../../src/core/formats/formats.ts'
import { arrayOf, type JsonObject, objectOf } from '../../../src/core/json.ts'
import type { FormatName } from '../../../src/core/records.ts'
import { HiddenCalls } from '../../../src/core/tool-rounds/hidden-calls.ts'
import { type TryOptions, tryRounds } from '../../support/tool-rounds.ts'

const list = 'bmcp_coder_coder_list_templates'
const remove = 'bmcp_coder_coder_delete_template'
const messages = [{ role: 'user', content: 'go' }]

const event = (json: JsonObject) =>
  `${json.type ? `event: ${json.type}\n` : ''}data: ${JSON.stringify(json)}\n\n`
const sse = (...events: readonly JsonObject[]) => events.map(event).join('')

async function tried(
  name: FormatName,
  ask: JsonObject,
  rounds: readonly (string | JsonObject)[],
  options: Partial<TryOptions> = {},
) {
  const run: [string, unknown][] = []
  const got = await tryRounds({
    format: formats[name],
    request: JSON.stringify({ model: 'm', ...ask }),
    rounds: rounds.map((round) => ({
      chunks: [typeof round === 'string' ? round : JSON.stringify(round)],
    })),
    callTool: async (tool, args) => {
      run.push([tool, args])
      return { content: [{ type: 'text', text: 'mock' }] }
    },
    ...options,
  })
  const tools = got.events.filter((each) => each.type === 'tool_call')
  return { ...got, run, tools }
}

/** Usage of a Messages reply. */
const used = { input_tokens: 5, output_tokens: 7 }
const whole = (id: string, content: readonly JsonObject[], usage: JsonObject = used) => ({
  id,
  type: 'message',
  role: 'assistant',
  content,
  stop_reason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
  usage,
})
const call = { type: 'tool_use', id: 'toolu_1', name: list, input: { q: 1 } }

test('Chat: calls of one answer that have neither ids nor indexes are as many as their names', async () => {
  const calls = [list, remove, list].map((name, at) => ({
    type: 'function',
    function: { name, arguments: `{"at":${at}}` },
  }))
  const body = { id: 'c1', choices: [{ message: { tool_calls: calls }, finish_reason: 'stop' }] }
  const last = { id: 'c2', choices: [{ message: { content: 'done' }, finish_reason: 'stop' }] }
  const got = await tried('openai_chat', { messages }, [body, last])
  const ran = [list, remove, list].map((name, at) => [name, { at }])
  assert.deepEqual(got.run, ran)
  assert.equal(got.tools.length, 3)
  const sent = arrayOf(got.requests[1]?.messages).map(objectOf)
  assert.deepEqual(
    sent.slice(-3).map(({ tool_call_id }) => tool_call_id),
    arrayOf(sent.at(-4)?.tool_calls).map((each) => objectOf(each).id),
  )
})

test('Chat: calls are run in the order of their indexes, however they come', async () => {
  const piece = (index: number, name: string) => ({
    index,
    id: `call_${index}`,
    function: { name, arguments: '{}' },
  })
  const chunk = (delta: JsonObject, finish_reason: string | null = null) => ({
    id: 'c1',
    choices: [{ index: 0, delta, finish_reason }],
  })
  const got = await tried('openai_chat', { messages, stream: true }, [
    `${sse(
      chunk({ tool_calls: [piece(1, remove)] }),
      chunk({ tool_calls: [piece(0, list)] }),
      chunk({}, 'tool_calls'),
    )}data: [DONE]\n\n`,
    `${sse(chunk({ content: 'done' }, 'stop'))}data: [DONE]\n\n`,
  ])
  assert.deepEqual(
    got.run.map(([tool]) => tool),
    [list, remove],
  )
})

test('Messages: a call whose end is not told is run all the same, and once', async () => {
  const start = { type: 'message_start', message: { id: 'm1', usage: used } }
  const begun = { type: 'content_block_start', index: 0, content_block: { ...call, input: {} } }
  const json = { type: 'input_json_delta', partial_json: '{"q":1}' }
  const delta = { type: 'content_block_delta', index: 0, delta: json }
  const end = { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: {} }
  const stop = { type: 'message_stop' }
  const last = sse(start, { ...end, delta: { stop_reason: 'end_turn' } }, stop)
  for (const stops of [0, 2]) {
    const stopped = Array.from({ length: stops }, () => ({ type: 'content_block_stop', index: 0 }))
    const round = sse(start, begun, delta, ...stopped, end, stop)
    const got = await tried('anthropic_messages', { messages, stream: true }, [round, last])
    assert.deepEqual(got.run, [[list, { q: 1 }]])
  }
})

test('Messages: usage keeps members that are null, and lists go on', async () => {
  const first = { ...used, server_tool_use: null, iterations: [{ output_tokens: 3 }] }
  const second = { ...used, server_tool_use: null, iterations: [{ output_tokens: 4 }] }
  const got = await tried('anthropic_messages', { messages }, [
    whole('m1', [call], first),
    whole('m2', [{ type: 'text', text: 'done' }], second),
  ])
  assert.deepEqual(JSON.parse(got.text).usage, {
    input_tokens: 10,
    output_tokens: 14,
    server_tool_use: null,
    iterations: [{ output_tokens: 3 }, { output_tokens: 4 }],
  })
})

test('Messages: code goes on in the container that it was begun in', async () => {
  const container = { id: 'container_1', expires_at: 'soon' }
  const start = { type: 'message_start', message: { id: 'm1', usage: used } }
  const end = (stop_reason: string, more: JsonObject) => [
    { type: 'message_delta', delta: { stop_reason, ...more }, usage: {} },
    { type: 'message_stop' },
  ]
  const begun = { type: 'content_block_start', index: 0, content_block: call }
  const streamed = await tried('anthropic_messages', { messages, stream: true }, [
    sse(start, begun, ...end('tool_use', { container })),
    sse(start, ...end('end_turn', { container: null })),
  ])
  assert.equal(streamed.requests[1]?.container, 'container_1')
  assert.ok(streamed.text.includes(JSON.stringify(container)))
  const blocking = await tried('anthropic_messages', { messages, container: 'mine' }, [
    { ...whole('m1', [call]), container },
    { ...whole('m2', []), container: null },
  ])
  assert.equal(blocking.requests[1]?.container, 'mine')
  assert.deepEqual(JSON.parse(blocking.text).container, container)
})

test('Messages: a compaction goes back whole', async () => {
  const done = { type: 'compaction', content: 'all of it', encrypted_content: 'E' }
  const block = (index: number, content_block: JsonObject, ...deltas: readonly JsonObject[]) => [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
  const got = await tried('anthropic_messages', { messages, stream: true }, [
    sse(
      ...block(0, { type: 'compaction', content: null }, { ...done, type: 'compaction_delta' }),
      ...block(1, { ...call, input: {} }),
      { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
      { type: 'message_stop' },
    ),
    sse({ type: 'message_stop' }),
  ])
  const asked = objectOf(arrayOf(got.requests[1]?.messages).at(-2))
  assert.deepEqual(arrayOf(asked.content)[0], done)
})

test('Messages: of a result that is an error images are told, since it may have texts only', async () => {
  const content = [
    { type: 'text', text: 'no' },
    { type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgo=' },
  ]
  for (const isError of [true, false]) {
    const rounds = [whole('m1', [call]), whole('m2', [])]
    const callTool = async () => ({ content, isError })
    const got = await tried('anthropic_messages', { messages }, rounds, { callTool })
    const [result] = arrayOf(objectOf(arrayOf(got.requests[1]?.messages).at(-1)).content)
    const types = arrayOf(objectOf(result).content).map((part) => objectOf(part).type)
    assert.deepEqual(types, ['text', isError ? 'text' : 'image'])
  }
})

/** A call of ours, and others that may stand beside it. */
const fc = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: list, arguments: '{}' }
const response = (id: string, output: readonly JsonObject[], more: JsonObject = {}) => ({
  id,
  object: 'response',
  status: 'completed',
  output,
  ...more,
})

test('Responses: a call is run once where the stream leaves out indexes', async () => {
  const message = { type: 'message', id: 'msg_1', content: [] }
  const items = [
    { type: 'response.output_item.done', output_index: 0, item: message },
    { type: 'response.output_item.done', output_index: 2, item: fc },
  ]
  const end = { type: 'response.completed', response: response('r1', [message, fc]) }
  const last = { type: 'response.completed', response: response('r2', []) }
  const ask = { input: 'go', stream: true }
  const got = await tried('openai_responses', ask, [sse(...items, end), sse(last)])
  assert.equal(got.run.length, 1)
  assert.equal(arrayOf(got.requests[1]?.input).length, 4)
  assert.equal(got.tools.length, 1)
})

test('Responses: what the provider runs by itself is neither ours nor the client’s to answer', async () => {
  const beside = [
    { type: 'mcp_call', id: 'mcp_1', name: list, server_label: 'other', arguments: '{}' },
    { type: 'shell_call', id: 'sh_1', call_id: 'call_sh', action: {} },
    { type: 'shell_call_output', id: 'sho_1', call_id: 'call_sh', output: [] },
    { type: 'tool_search_call', id: 'ts_1', call_id: null, execution: 'server', arguments: {} },
  ]
  const rounds = [response('r1', [...beside, fc]), response('r2', [])]
  const got = await tried('openai_responses', { input: 'go' }, rounds)
  assert.equal(got.requests.length, 2)
  assert.deepEqual(JSON.parse(got.text).output, beside)
  assert.deepEqual(
    got.tools.filter(({ injected }) => injected).map(({ itemId }) => itemId),
    ['fc_1'],
  )
})

for (const { own, answer } of [
  {
    own: { type: 'mcp_approval_request', id: 'mcpr_1', name: 'x', arguments: '{}' },
    answer: { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true },
  },
  {
    own: { type: 'tool_search_call', id: 'ts_1', call_id: 'call_ts', execution: 'client' },
    answer: { type: 'tool_search_output', call_id: 'call_ts', tools: [] },
  },
]) {
  test(`Responses: the answer to a ${own.type} brings back what we ran beside it`, async () => {
    const hiddenCalls = new HiddenCalls()
    const options = { hiddenCalls }
    const first = await tried(
      'openai_responses',
      { input: 'go' },
      [response('r1', [fc, own])],
      options,
    )
    assert.deepEqual(JSON.parse(first.text).output, [own])
    const ours = { type: 'function_call_output', call_id: 'call_1', output: 'mock' }
    const ask = { previous_response_id: 'r1', input: [answer] }
    const next = await tried('openai_responses', ask, [response('r2', [])], options)
    assert.deepEqual(next.requests[0]?.input, [answer, ours])
    const all = { input: [{ role: 'user', content: 'go' }, own, answer] }
    const again = await tried('openai_responses', all, [response('r2', [])], options)
    const types = arrayOf(again.requests[0]?.input).map((item) => objectOf(item).type)
    assert.deepEqual(types, [undefined, own.type, fc.type, answer.type, ours.type])
  })
}

test('Responses: reasoning that a client sends back has the calls behind it that came of it', async () => {
  const hiddenCalls = new HiddenCalls()
  const reasoning = (id: string) => ({ type: 'reasoning', id: `rs_${id.repeat(30)}`, summary: [] })
  const own = { type: 'function_call', id: 'fc_2', call_id: 'call_2', name: 'own', arguments: '{}' }
  const mine = { ...fc, id: 'fc_3', call_id: 'call_3' }
  const rounds = [
    response('r1', [reasoning('a'), fc]),
    response('r2', [reasoning('b'), own, reasoning('c'), mine]),
  ]
  const first = await tried('openai_responses', { input: 'go' }, rounds, { hiddenCalls })
  const { output } = JSON.parse(first.text)
  assert.deepEqual(output, [reasoning('a'), reasoning('b'), own, reasoning('c')])
  const answer = { type: 'function_call_output', call_id: 'call_2', output: 'x' }
  const of = ({ call_id }: { call_id: string }) => ({ ...answer, call_id, output: 'mock' })
  const input = [{ role: 'user', content: 'go' }, ...output, answer]
  const next = await tried('openai_responses', { input }, [response('r3', [])], { hiddenCalls })
  assert.deepEqual(next.requests[0]?.input, [
    input[0],
    reasoning('a'),
    fc,
    of(fc),
    reasoning('b'),
    own,
    reasoning('c'),
    mine,
    of(mine),
    answer,
  ])
  // The upstream knows all but the results.
  const chained = { previous_response_id: 'r2', input: [answer] }
  const short = await tried('openai_responses', chained, [response('r3', [])], { hiddenCalls })
  assert.deepEqual(short.requests[0]?.input, [answer, of(mine)])
})

test('Responses: a call in a namespace is not ours', async () => {
  const other = { ...fc, namespace: 'ns' }
  const got = await tried('openai_responses', { input: 'go' }, [response('r1', [other])])
  assert.deepEqual(JSON.parse(got.text).output, [other])
  assert.deepEqual(
    got.tools.map(({ tool, injected }) => [tool, injected]),
    [[list, false]],
  )
})

test('Responses: a last round that failed is a failed reply, blocking too', async () => {
  const error = { code: 'server_error', message: 'sorry' }
  const rounds = [response('r1', [fc]), response('r2', [], { status: 'failed', error })]
  const { verdict } = await tried('openai_responses', { input: 'go' }, rounds)
  assert.equal(verdict.outcome, 'failed')
})

test('Responses: gateways that tell no status are believed', async () => {
  const { status: _, ...round } = response('r1', [fc])
  const got = await tried('openai_responses', { input: 'go' }, [round, response('r2', [])])
  assert.equal(got.requests.length, 2)
})

test('a body of which no server says that it is JSON is read all the same', async () => {
  const bodies = [whole('m1', [call]), whole('m2', [{ type: 'text', text: 'done' }])]
  for (const headers of [[], ['content-type', 'text/plain; charset=utf-8']]) {
    const rounds = bodies.map((body) => ({ chunks: [JSON.stringify(body)], headers }))
    const got = await tried('anthropic_messages', { messages }, [], { rounds })
    assert.deepEqual(JSON.parse(got.text).content, bodies[1]?.content)
  }
})

test('of a frame that is cut short nothing is told once calls of ours are withheld', async () => {
  const start = { type: 'message_start', message: { id: 'm1', usage: used } }
  const begun = { type: 'content_block_start', index: 0, content_block: call }
  const ask = { messages, stream: true }
  const cut = event({ type: 'content_block_stop', index: 0 }).slice(0, -12)
  const first = await tried('anthropic_messages', ask, [sse(start, begun) + cut])
  assert.equal(first.text, sse(start))
  assert.equal(first.verdict.outcome, 'upstream_cut')
  const named = await tried('anthropic_messages', ask, [sse(start) + event(begun).slice(0, -20)])
  assert.equal(named.text, sse(start))
  // The upstream's very bytes as long as none is ours.
  const plain = await tried('anthropic_messages', ask, [sse(start) + cut])
  assert.equal(plain.text, sse(start) + cut)
})
