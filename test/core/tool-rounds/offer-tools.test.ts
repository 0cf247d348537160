import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectedTool } from '../../../src/core/mcp/toolbox.ts'
import type { FormatName } from '../../../src/core/records.ts'
import { type OfferOptions, offerTools } from '../../../src/core/tool-rounds/offer-tools.ts'
import { coderTools } from '../../support/tool-rounds.ts'

const [one] = [...coderTools.values()] as [InjectedTool]
const tools = new Map([[one.id, one]])

const offered = (format: FormatName, body: string, options: Partial<OfferOptions> = {}) => {
  const offer = offerTools(Buffer.from(body), {
    format,
    purpose: null,
    tools,
    parallel: false,
    hidden: null,
    log: () => {},
    ...options,
  })
  return offer && JSON.parse(offer.body.toString())
}

test('Messages: before the client’s own tools, whose cache mark stays where it is', () => {
  const mark = '{"name":"mine", "cache_control":{"type":"ephemeral"}}'
  const body = `{"model":"m","tools": [${mark}],"max_tokens":1.0}`
  const offer = offerTools(Buffer.from(body), {
    format: 'anthropic_messages',
    purpose: null,
    tools,
    parallel: false,
    hidden: null,
    log: () => {},
  })
  const text = offer?.body.toString() ?? ''
  assert.ok(text.endsWith(`},${mark}],"max_tokens":1.0}`), text)
  assert.deepEqual(JSON.parse(text).tools[0], {
    name: one.id,
    description: 'a tool',
    type: 'custom',
    input_schema: { type: 'object', properties: {} },
  })
})

const choices: readonly [unknown, unknown][] = [
  [undefined, { type: 'auto', disable_parallel_tool_use: true }],
  [null, { type: 'auto', disable_parallel_tool_use: true }],
  [{}, { type: 'auto', disable_parallel_tool_use: true }],
  [
    { type: 'any', disable_parallel_tool_use: false },
    { type: 'any', disable_parallel_tool_use: true },
  ],
  [
    { type: 'tool', name: 'x' },
    { type: 'tool', name: 'x', disable_parallel_tool_use: true },
  ],
  [{ type: 'none' }, { type: 'none' }],
  [{ type: 'other' }, { type: 'other' }],
  [{ type: 7 }, { type: 7 }],
  ['auto', 'auto'],
]
for (const [given, expected] of choices) {
  test(`Messages: tool_choice ${JSON.stringify(given)} becomes ${JSON.stringify(expected)}`, () => {
    const body = JSON.stringify({ tool_choice: given })
    const request = offered('anthropic_messages', body)
    assert.deepEqual(request.tool_choice, expected)
    assert.equal(request.tools.length, 1)
    const parallel = offered('anthropic_messages', body, { parallel: true })
    assert.deepEqual(parallel.tool_choice, given)
  })
}

test('Chat and Responses: behind the client’s own tools, one call at a time', () => {
  const parameters = { type: 'object', properties: {} }
  const described = { name: one.id, description: 'a tool', strict: false, parameters }
  const own = { type: 'function', function: { name: 'mine' } }
  const chat = offered('openai_chat', JSON.stringify({ tools: [own], parallel_tool_calls: true }))
  assert.deepEqual(chat, {
    tools: [own, { type: 'function', function: described }],
    parallel_tool_calls: false,
  })
  const responses = offered('openai_responses', '{"input":"hi"}')
  assert.deepEqual(responses, {
    input: 'hi',
    tools: [{ type: 'function', ...described }],
    parallel_tool_calls: false,
  })
  assert.equal(
    offered('openai_chat', '{"parallel_tool_calls":true}', { parallel: true }).parallel_tool_calls,
    true,
  )
})

test('a request is left alone that has tools of a wrong type, several answers, or none to offer', () => {
  assert.equal(offered('anthropic_messages', '{"tools":"all"}'), null)
  assert.equal(offered('openai_responses', '{"tools":{},"input":"x"}'), null)
  assert.equal(offered('openai_responses', '{"input":7}'), null)
  assert.equal(offered('openai_chat', '{"n":2}'), null)
  assert.equal(offered('openai_chat', '{"functions":[{"name":"old"}]}'), null)
  assert.equal(offered('openai_chat', '{}', { tools: new Map() }), null)
  assert.equal(offered('openai_chat', '{}', { purpose: 'title' }), null)
})

test('a tool that Messages requests would be refused for is offered in the others only', () => {
  const inputSchema = { type: 'object', properties: { $filter: { type: 'string' } } }
  const odd = new Map([...tools, ['odd', { ...one, id: 'odd', inputSchema }]])
  const names = (format: FormatName, body = '{}') =>
    offered(format, body, { tools: odd }).tools.map(
      (tool: { name?: string; function?: { name: string } }) => tool.name ?? tool.function?.name,
    )
  assert.deepEqual(names('anthropic_messages'), [one.id])
  assert.deepEqual(names('openai_chat'), [one.id, 'odd'])
  assert.deepEqual(names('openai_responses', '{"input":"x"}'), [one.id, 'odd'])
})

test('a tool that the client has under that name is the client’s', () => {
  assert.equal(offered('anthropic_messages', JSON.stringify({ tools: [{ name: one.id }] })), null)
  const custom = { type: 'custom', custom: { name: one.id } }
  assert.equal(offered('openai_chat', JSON.stringify({ tools: [custom] })), null)
})

test('with more than 128 tools the rest is left out, and said so', () => {
  const many = new Map(
    Array.from({ length: 200 }, (_, at) => `bmcp_s_${at}`).map((id) => [id, { ...one, id }]),
  )
  const log: unknown[] = []
  const own = Array.from({ length: 8 }, (_, at) => ({ name: `own${at}` }))
  const request = offered('anthropic_messages', JSON.stringify({ tools: own }), {
    tools: many,
    log: (_, message) => log.push(message),
  })
  assert.equal(request.tools.length, 128)
  assert.match(String(log), /only 120 of 200 tools .* are offered/)
})
