import assert from 'node:assert/strict'
import test from 'node:test'
import { openaiChat } from '../../../src/core/formats/openai-chat/format.ts'
import { frame } from '../../support/frames.ts'
import { readBody, readStream } from '../../support/read-reply.ts'

const chunk = (delta: object, more: object = {}) =>
  frame('', { id: 'chat_1', choices: [{ index: 0, delta, finish_reason: null, ...more }] })
const calls = (...tool_calls: object[]) => chunk({ tool_calls })
const piece = (index: number | undefined, text: string, id?: string, name?: string) => ({
  index,
  id,
  function: { name, arguments: text },
})
const done = frame('', '[DONE]')
const called = (frames: Parameters<typeof readStream>[1]) =>
  readStream(openaiChat, frames).tools.map(({ toolCallId, tool, input }) => [
    toolCallId,
    tool,
    input,
  ])

test('parallel calls whose pieces mix, begun in any order, are told by index', () => {
  assert.deepEqual(
    called([
      calls(piece(1, '', 'b', 'two')),
      calls(piece(0, '{"a"', 'a', 'one'), piece(1, '{"b"')),
      calls(piece(1, ':2}'), piece(0, ':1}')),
      done,
    ]),
    [
      ['a', 'one', '{"a":1}'],
      ['b', 'two', '{"b":2}'],
    ],
  )
})

test('calls of vendors that give no index, or one for all, are told apart', () => {
  const expected = [
    ['a', 'one', '{}'],
    ['b', 'two', '{"x":1}'],
  ]
  for (const index of [undefined, 0]) {
    const frames = [
      calls(piece(index, '{}', 'a', 'one')),
      calls(piece(index, '{"x"', 'b', 'two')),
      calls(piece(index, ':1}')),
    ]
    assert.deepEqual(called(frames), expected)
  }
})

test('an id and a name that are repeated with each piece are no new call', () => {
  assert.deepEqual(called([calls(piece(0, '{', 'a', 'one')), calls(piece(0, '}', 'a', 'one'))]), [
    ['a', 'one', '{}'],
  ])
})

test('arguments stay as the model wrote them: cut off, no JSON, empty, or an object', () => {
  const message = {
    tool_calls: [
      piece(undefined, '{"a": ', 'a', 'cut'),
      piece(undefined, 'just words', 'b', 'text'),
      piece(undefined, '', 'c', 'none'),
      { id: 'd', function: { name: 'object', arguments: { x: 1 } } },
      { id: 'e', type: 'custom', custom: { name: 'custom', input: 'free text' } },
    ],
    function_call: { name: 'legacy', arguments: '{}' },
  }
  const { tools } = readBody(openaiChat, { choices: [{ message }] })
  assert.deepEqual(
    tools.map(({ toolCallId, tool, input }) => [toolCallId, tool, input]),
    [
      ['a', 'cut', '{"a": '],
      ['b', 'text', 'just words'],
      ['c', 'none', ''],
      ['d', 'object', '{"x":1}'],
      ['e', 'custom', 'free text'],
      ['', 'legacy', '{}'],
    ],
  )
})

test('a call of the old kind is put together', () => {
  assert.deepEqual(
    called([
      chunk({ function_call: { name: 'f', arguments: '' } }),
      chunk({ function_call: { arguments: '{"a"' } }),
      chunk({ function_call: { arguments: ':1}' } }, { finish_reason: 'function_call' }),
    ]),
    [['', 'f', '{"a":1}']],
  )
})

test('every choice counts: text, calls and finish', () => {
  const choice = (index: number, delta: object, finish_reason: string | null = null) =>
    frame('', { id: 'chat_1', choices: [{ index, delta, finish_reason }] })
  const reply = readStream(openaiChat, [
    choice(1, { content: 'second' }),
    choice(0, { content: 'first' }),
    choice(1, { tool_calls: [piece(0, '{}', 'b', 'two')] }, 'tool_calls'),
    choice(0, { tool_calls: [piece(0, '{}', 'a', 'one')] }, 'stop'),
    done,
  ])
  assert.deepEqual(
    reply.tools.map(({ toolCallId }) => toolCallId),
    ['a', 'b'],
  )
  assert.deepEqual(reply.reasons, ['stop', 'tool_calls'])
  assert.deepEqual(
    reply.events.flatMap((event) => (event.type === 'text' ? [[event.choice, event.text]] : [])),
    [
      [1, 'second'],
      [0, 'first'],
    ],
  )
})

const reasonings: [string, object[], string][] = [
  ['reasoning_content', [{ reasoning_content: 'a' }, { reasoning_content: 'b' }], 'ab'],
  ['reasoning', [{ reasoning: 'a' }, { reasoning: 'b', content: 'x' }], 'ab'],
  ['two fields with the same', [{ reasoning: 'a', reasoning_content: 'a' }], 'a'],
  ['reasoning_details', [{ reasoning_details: [{ type: 'reasoning.text', text: 'ab' }] }], 'ab'],
  [
    'thinking parts',
    [{ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'ab' }] }] }],
    'ab',
  ],
  ['nothing', [{ reasoning_content: '', reasoning: null }], ''],
]
for (const [name, deltas, expected] of reasonings) {
  test(`reasoning in ${name} is one block, streamed and not`, () => {
    const stream = readStream(openaiChat, [...deltas.map((delta) => chunk(delta)), done])
    const message = deltas.length === 1 ? deltas[0] : { reasoning_content: expected }
    for (const reply of [stream, readBody(openaiChat, { choices: [{ message }] })]) {
      assert.deepEqual(
        reply.thoughts.map(({ source, text, index }) => [source, text, index]),
        expected === '' ? [] : [['reasoning_content', expected, 0]],
      )
    }
  })
}

test('a refusal is text', () => {
  assert.equal(readStream(openaiChat, [chunk({ content: null, refusal: 'no' }), done]).text, 'no')
})

const finished = { finish_reason: 'stop' }
const outcomes: [string, Parameters<typeof readStream>[1], string][] = [
  ['[DONE]', [chunk({ content: 'a' }), done], 'completed'],
  ['a finish reason', [chunk({ content: 'a' }), chunk({}, finished)], 'completed'],
  ['no finish reason', [chunk({ content: 'a' })], 'upstream_cut'],
  ['one of two choices finished', [chunk({}, finished), chunk({}, { index: 1 })], 'upstream_cut'],
  ['nothing', [], 'upstream_cut'],
  ['an error', [chunk({}, finished), frame('', { error: { message: 'x' } })], 'failed'],
  ['an error, then [DONE]', [frame('', { object: 'error', message: 'x' }), done], 'failed'],
]
for (const [name, frames, outcome] of outcomes) {
  test(`a stream that ends with ${name} is ${outcome}`, () => {
    assert.equal(readStream(openaiChat, frames).verdict.outcome, outcome)
  })
}

test('an error in a stream is typed by its code, a number or a word', () => {
  const typeOf = (error: unknown) => {
    const { verdict } = readStream(openaiChat, [frame('', { error })])
    return verdict.outcome === 'failed' ? [verdict.errorType, verdict.errorMessage] : verdict
  }
  assert.deepEqual(typeOf({ type: 'server_error', message: 'm' }), ['server_error', 'm'])
  assert.deepEqual(typeOf({ code: 429, message: 'm' }), ['rate_limited', 'm'])
  assert.deepEqual(typeOf({ code: 'context_length_exceeded' }), ['bad_request', ''])
  assert.deepEqual(typeOf('just words'), ['unknown', 'just words'])
})

test('of several errors the first counts', () => {
  const { verdict, events } = readStream(openaiChat, [
    frame('', { object: 'error', message: 'first', code: 429 }),
    frame('', { error: { message: 'second' } }),
  ])
  assert.deepEqual(verdict, {
    outcome: 'failed',
    errorType: 'rate_limited',
    errorMessage: 'first',
  })
  assert.equal(events.length, 1)
})

test('a body with an error and status 200 failed', () => {
  const { verdict } = readBody(openaiChat, { error: { code: 502, message: 'm' } })
  assert.deepEqual(verdict, { outcome: 'failed', errorType: 'server_error', errorMessage: 'm' })
})

test('the end is [DONE] or an error that is one', () => {
  const ends = [done, frame('', '[DONE] '), frame('', { error: {} }), frame('', '{"error" : "x"}')]
  for (const each of ends) assert.equal(openaiChat.isTerminal(each), true, each.data)
  const others = [
    frame('', { error: null, choices: [] }),
    chunk({ content: '"error"' }),
    frame('', '{"error": '),
    chunk({}, finished),
  ]
  for (const each of others) assert.equal(openaiChat.isTerminal(each), false, each.data)
})

test('errors of our own have OpenAI’s shape', () => {
  assert.deepEqual(openaiChat.errorBody({ status: 502, errorType: 'unreachable', message: 'x' }), {
    error: { message: 'x', type: 'server_error', param: null, code: 'upstream_unreachable' },
  })
})
