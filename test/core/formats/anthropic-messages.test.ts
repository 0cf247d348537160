import assert from 'node:assert/strict'
import test from 'node:test'
import { anthropicMessages } from '../../../src/core/formats/anthropic-messages/format.ts'
import { frame } from '../../support/frames.ts'
import { readBody, readStream } from '../../support/read-reply.ts'

const event = (type: string, more: object = {}) => frame(type, { type, ...more })
const open = (index: number, content_block: object) =>
  event('content_block_start', { index, content_block })
const piece = (index: number, delta: object) => event('content_block_delta', { index, delta })
const json = (index: number, partial_json: string) =>
  piece(index, { type: 'input_json_delta', partial_json })
const close = (index: number) => event('content_block_stop', { index })
const call = (id: string, name = 'Read', type = 'tool_use', more = {}) => ({
  type,
  id,
  name,
  input: {},
  ...more,
})
const start = event('message_start', { message: { id: 'msg_1' } })
const stop = event('message_stop')

test('parallel calls whose pieces mix are told whole and in their order', () => {
  const { tools } = readStream(anthropicMessages, [
    start,
    open(1, call('b')),
    open(0, call('a')),
    json(1, '{"n": 2'),
    json(0, '{"n":'),
    json(1, '}'),
    close(1),
    json(0, ' 1}'),
    close(0),
    stop,
  ])
  assert.deepEqual(
    tools.map(({ toolCallId, input, messageId }) => [toolCallId, input, messageId]),
    [
      ['a', '{"n":1}', 'msg_1'],
      ['b', '{"n":2}', 'msg_1'],
    ],
  )
})

test('a call without input has an empty object, one cut off keeps what came', () => {
  const { tools } = readStream(anthropicMessages, [
    start,
    open(0, call('a')),
    json(0, ''),
    close(0),
    open(1, call('b')),
    json(1, '{"path": "/tm'),
    close(1),
    stop,
  ])
  assert.deepEqual(
    tools.map(({ input }) => input),
    ['{}', '{"path": "/tm'],
  )
})

test('a number that a double would change stays as the model wrote it', () => {
  const { tools } = readStream(anthropicMessages, [
    open(0, call('a')),
    json(0, '{"id": 12345678901234567890}'),
    close(0),
  ])
  assert.equal(tools[0]?.input, '{"id": 12345678901234567890}')
})

test('server and MCP tools are calls, their results are not', () => {
  const content = [
    call('s', 'web_search', 'server_tool_use', { input: { query: 'x' } }),
    { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
    call('m', 'echo', 'mcp_tool_use', { server_name: 'local' }),
    { type: 'mcp_tool_result', tool_use_id: 'm', content: [] },
  ]
  const stream = readStream(anthropicMessages, [
    start,
    ...content.flatMap((block, index) => [open(index, block), close(index)]),
    stop,
  ])
  for (const { tools } of [stream, readBody(anthropicMessages, { content })]) {
    assert.deepEqual(
      tools.map(({ tool, input, serverUrl, metadata }) => [tool, input, serverUrl, metadata.type]),
      [
        ['web_search', '{"query":"x"}', null, 'server_tool_use'],
        ['echo', '{}', 'local', 'mcp_tool_use'],
      ],
    )
  }
})

test('thinking is told as one block, redacted thinking is marked, empty thinking is none', () => {
  const { thoughts } = readStream(anthropicMessages, [
    start,
    open(0, { type: 'thinking', thinking: '', signature: '' }),
    piece(0, { type: 'thinking_delta', thinking: 'first ' }),
    piece(0, { type: 'thinking_delta', thinking: 'then' }),
    piece(0, { type: 'signature_delta', signature: 'xyz' }),
    close(0),
    open(1, { type: 'thinking', thinking: '' }),
    piece(1, { type: 'signature_delta', signature: 'xyz' }),
    close(1),
    open(2, { type: 'redacted_thinking', data: 'abc' }),
    close(2),
    stop,
  ])
  assert.deepEqual(
    thoughts.map(({ index, source, text, redacted }) => [index, source, text, redacted]),
    [
      [0, 'thinking', 'first then', false],
      [1, 'redacted_thinking', '', true],
    ],
  )
})

test('a stream that breaks off tells open blocks as far as they came', () => {
  const reply = readStream(anthropicMessages, [
    start,
    open(0, { type: 'thinking', thinking: '' }),
    piece(0, { type: 'thinking_delta', thinking: 'half a' }),
    open(1, call('a')),
    json(1, '{"pa'),
  ])
  assert.equal(reply.thoughts[0]?.text, 'half a')
  assert.equal(reply.tools[0]?.input, '{"pa')
  assert.deepEqual(reply.verdict, { outcome: 'upstream_cut' })
})

test('indexes that begin again lose no block', () => {
  const { tools } = readStream(anthropicMessages, [
    ...['a', 'b', 'c'].flatMap((id) => [open(0, call(id)), close(0)]),
    open(0, call('d')),
    open(0, call('e')),
  ])
  assert.deepEqual(
    tools.map(({ toolCallId }) => toolCallId),
    ['a', 'b', 'c', 'd', 'e'],
  )
})

test('text is told as it comes, and the finish once', () => {
  const reply = readStream(anthropicMessages, [
    start,
    open(0, { type: 'text', text: '' }),
    event('ping'),
    piece(0, { type: 'text_delta', text: 'a' }),
    piece(0, { type: 'text_delta', text: 'b' }),
    close(0),
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }),
    stop,
  ])
  assert.equal(reply.text, 'ab')
  assert.deepEqual(reply.reasons, ['end_turn'])
  assert.deepEqual(reply.verdict, { outcome: 'completed' })
  assert.equal(reply.ended, true)
})

test('it is generating from the first thing that the model says', () => {
  const round = anthropicMessages.createRound({ round: 0, streaming: true, status: 200 })
  round.read(start)
  round.read(open(0, { type: 'thinking', thinking: '' }))
  assert.equal(round.generating, false)
  round.read(piece(0, { type: 'thinking_delta', thinking: 'x' }))
  assert.equal(round.generating, true)
})

test('an error event fails the reply with its own type', () => {
  const reply = readStream(anthropicMessages, [
    start,
    event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
  ])
  const verdict = { outcome: 'failed', errorType: 'overloaded', errorMessage: 'Overloaded' }
  assert.deepEqual(reply.verdict, verdict)
  assert.deepEqual(reply.events.at(-1), {
    type: 'error',
    errorType: 'overloaded',
    message: 'Overloaded',
  })
  assert.equal(reply.ended, true)
})

test('the end is known by the event’s name, or by its data where it has none', () => {
  const ends = [
    stop,
    frame('message_stop', ''),
    frame('', { type: 'message_stop' }),
    frame('message', { type: 'error', error: {} }),
    frame('error', 'no JSON'),
  ]
  for (const each of ends) assert.equal(anthropicMessages.isTerminal(each), true, each.data)
  const others = [
    frame('message_delta', { type: 'message_stop' }),
    frame('', { type: 'content_block_delta', delta: { text: '"message_stop"' } }),
    frame('', '{"message_stop"'),
    event('ping'),
  ]
  for (const each of others) assert.equal(anthropicMessages.isTerminal(each), false, each.data)
})

test('a stream without event names is read by its data', () => {
  const reply = readStream(anthropicMessages, [
    frame('', { type: 'message_start', message: { id: 'msg_1' } }),
    frame('', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a' } }),
    frame('', { type: 'message_stop' }),
  ])
  assert.equal(reply.text, 'a')
  assert.equal(reply.verdict.outcome, 'completed')
})

test('a refusal is typed by its status, and says what its body says', () => {
  const body = {
    type: 'error',
    error: { type: 'invalid_request_error', message: 'prompt is too long' },
  }
  assert.deepEqual(readBody(anthropicMessages, body, 400).verdict, {
    outcome: 'failed',
    errorType: 'bad_request',
    errorMessage: 'prompt is too long',
  })
  assert.deepEqual(readBody(anthropicMessages, '<html>down</html>', 502).verdict, {
    outcome: 'failed',
    errorType: 'server_error',
    errorMessage: '<html>down</html>',
  })
  assert.deepEqual(
    readBody(anthropicMessages, { error: { type: 'rate_limit_error' } }, 418).verdict,
    {
      outcome: 'failed',
      errorType: 'rate_limited',
      errorMessage: 'upstream answered 418',
    },
  )
})

test('a long error message is cut at 2 KiB between characters', () => {
  const message = `a${'é'.repeat(5000)}`
  const { verdict } = readBody(anthropicMessages, { error: { message } }, 500)
  assert.ok(verdict.outcome === 'failed')
  assert.equal(Buffer.byteLength(verdict.errorMessage), 2047)
  assert.ok(message.startsWith(verdict.errorMessage))
})

test('a reply that was never read is judged by its status', () => {
  for (const [status, outcome] of [
    [200, 'completed'],
    [204, 'completed'],
    [529, 'failed'],
  ] as const) {
    const round = anthropicMessages.createRound({ round: 0, streaming: false, status })
    assert.equal(round.verdict().outcome, outcome)
    assert.equal(round.finish().length, outcome === 'failed' ? 1 : 0)
  }
})

test('a body that is cut short fails, one that is no JSON is judged by its status', () => {
  assert.equal(readBody(anthropicMessages, '{"id": "msg_1", "cont').verdict.outcome, 'failed')
  assert.equal(readBody(anthropicMessages, 'plain words').verdict.outcome, 'completed')
})

test('events are frozen', () => {
  const content = [{ type: 'text', text: 'a' }, call('a')]
  const { events } = readBody(anthropicMessages, { content, usage: { input_tokens: 1 } })
  assert.equal(events.length, 3)
  for (const each of events) assert.ok(Object.isFrozen(each))
})

test('errors of our own have Anthropic’s shape', () => {
  assert.deepEqual(
    anthropicMessages.errorBody({ status: 403, errorType: 'forbidden', message: 'no' }),
    { type: 'error', error: { type: 'permission_error', message: 'no' }, request_id: null },
  )
  const type = (status: number) =>
    anthropicMessages.errorBody({ status, errorType: 'unknown', message: '' }) as {
      error: { type: string }
    }
  assert.equal(type(415).error.type, 'invalid_request_error')
  assert.equal(type(502).error.type, 'api_error')
  assert.equal(type(504).error.type, 'timeout_error')
})
