import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Format } from '../../../src/core/format.ts'
import { anthropicMessages } from '../../../src/core/formats/anthropic-messages/format.ts'
import { formats } from '../../../src/core/formats/formats.ts'
import { openaiChat } from '../../../src/core/formats/openai-chat/format.ts'
import { openaiResponses } from '../../../src/core/formats/openai-responses/format.ts'

const result = (id: unknown, more = {}) => ({ type: 'tool_result', tool_use_id: id, ...more })
const user = (...content: unknown[]) => ({ role: 'user', content })
const assistant = { role: 'assistant', content: 'ok' }
const tool = (id: unknown, content: unknown = 'out') => ({
  role: 'tool',
  tool_call_id: id,
  content,
})
const output = (id: unknown, type = 'function_call_output') => ({
  type,
  call_id: id,
  output: 'out',
})

const answered: [string, Format, unknown, string | null][] = [
  ['nothing', anthropicMessages, {}, null],
  ['messages that are a string', anthropicMessages, { messages: 'x' }, null],
  ['no messages', anthropicMessages, { messages: [] }, null],
  ['plain text', anthropicMessages, { messages: [{ role: 'user', content: 'x' }] }, null],
  ['one result', anthropicMessages, { messages: [user(result('a'))] }, 'a'],
  [
    'the last of two',
    anthropicMessages,
    { messages: [user(result('a'), { type: 'text', text: 'x' }, result('b'))] },
    'b',
  ],
  [
    'an earlier turn',
    anthropicMessages,
    { messages: [user(result('a')), assistant, user({ type: 'text', text: 'x' })] },
    null,
  ],
  [
    'a system message behind',
    anthropicMessages,
    { messages: [user(result('a')), { role: 'system', content: 'x' }] },
    'a',
  ],
  ['no messages', openaiChat, { messages: [] }, null],
  ['no tool message', openaiChat, { messages: [user('x')] }, null],
  ['a tool message', openaiChat, { messages: [assistant, tool('a')] }, 'a'],
  ['the last of two', openaiChat, { messages: [assistant, tool('a'), tool('b')] }, 'b'],
  ['a tool message not last', openaiChat, { messages: [tool('a'), assistant] }, null],
  ['no input', openaiResponses, {}, null],
  ['no output item', openaiResponses, { input: [user('x')] }, null],
  ['an output', openaiResponses, { input: [output('a')] }, 'a'],
  ['the last of two', openaiResponses, { input: [output('a'), output('b')] }, 'b'],
  ['an output not last', openaiResponses, { input: [output('a'), user('x')] }, null],
  ['an output without id', openaiResponses, { input: [output(undefined)] }, null],
  ['a custom tool', openaiResponses, { input: [output('a', 'custom_tool_call_output')] }, 'a'],
  [
    'a shell',
    openaiResponses,
    { input: [{ type: 'local_shell_call_output', id: 'sh', output: '' }] },
    'sh',
  ],
]
for (const [name, format, body, id] of answered) {
  test(`${format.name} answers the tool call of ${name}`, () => {
    assert.equal(format.readRequest(body).correlatingToolCallId, id)
  })
}

test('all results of the last turn are read, as text or as JSON', () => {
  const image = [{ type: 'image', source: {} }]
  const { toolResults, prompt } = anthropicMessages.readRequest({
    messages: [
      user(result('old', { content: 'x' })),
      assistant,
      user(
        result('a', { content: 'grüß' }),
        result('b', {
          content: [
            { type: 'text', text: '1' },
            { type: 'text', text: '2' },
          ],
          is_error: true,
        }),
        result('c', { content: image }),
        result('d'),
      ),
    ],
  })
  assert.equal(prompt, null)
  assert.deepEqual(toolResults, [
    { toolCallId: 'a', isError: false, bytes: 6, content: 'grüß' },
    { toolCallId: 'b', isError: true, bytes: 3, content: '1\n2' },
    { toolCallId: 'c', isError: false, bytes: 30, content: JSON.stringify(image) },
    { toolCallId: 'd', isError: false, bytes: 0, content: '' },
  ])
})

test('Chat and Responses read the run of results at the end', () => {
  const chat = openaiChat.readRequest({
    messages: [tool('old'), assistant, tool('a'), tool('b', [{ type: 'text', text: 'x' }])],
  })
  assert.deepEqual(
    chat.toolResults.map(({ toolCallId, content }) => [toolCallId, content]),
    [
      ['a', 'out'],
      ['b', 'x'],
    ],
  )
  const responses = openaiResponses.readRequest({
    input: [
      output('old'),
      { type: 'message', role: 'assistant', content: [] },
      output('a'),
      { ...output('b', 'apply_patch_call_output'), status: 'failed' },
    ],
  })
  assert.deepEqual(
    responses.toolResults.map(({ toolCallId, isError }) => [toolCallId, isError]),
    [
      ['a', false],
      ['b', true],
    ],
  )
})

const flags: [string, Format, object, object][] = [
  ['Messages streams for true alone', anthropicMessages, { stream: true }, { streaming: true }],
  [
    'Messages does not stream for a string',
    anthropicMessages,
    { stream: 'true' },
    { streaming: false },
  ],
  ['Messages does not stream by default', anthropicMessages, {}, { streaming: false, model: '' }],
  ['Messages has no model where it is no text', anthropicMessages, { model: 123 }, { model: '' }],
  ['Chat streams for a number', openaiChat, { stream: 2 }, { streaming: true }],
  ['Chat streams for "t"', openaiChat, { stream: 't' }, { streaming: true }],
  ['Chat does not stream for "yes"', openaiChat, { stream: 'yes' }, { streaming: false }],
  [
    'Chat says whether it has stream options',
    openaiChat,
    { stream_options: null },
    { hasStreamOptions: true },
  ],
  ['Chat without stream options', openaiChat, {}, { hasStreamOptions: false }],
  [
    'Responses is lax',
    openaiResponses,
    { model: 123, stream: 'yes', background: 'nope' },
    { model: '123', streaming: false, background: false },
  ],
  ['Responses in the background', openaiResponses, { background: true }, { background: true }],
]
for (const [name, format, body, expected] of flags) {
  test(name, () => {
    const request = format.readRequest(body)
    for (const [key, value] of Object.entries(expected)) {
      assert.equal(request[key as keyof typeof request], value)
    }
  })
}

test('no request, however odd, makes a reader throw', () => {
  const names = fc.constantFrom(
    'messages',
    'input',
    'role',
    'user',
    'content',
    'type',
    'text',
    'tool_result',
    'output',
    'tools',
    'system',
    'instructions',
  )
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.anything(),
      names,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(names, tie('node')),
    ),
  }))
  fc.assert(
    fc.property(node, (body) => {
      for (const format of Object.values(formats)) {
        const request = format.readRequest(body)
        assert.equal(typeof request.model, 'string')
        assert.ok(request.prompt === null || typeof request.prompt.text === 'string')
        assert.ok(request.toolResults.every(({ content }) => typeof content === 'string'))
      }
    }),
    { numRuns: 500 },
  )
})

test('a tool result nested deeper than the stack is deep costs its content alone', () => {
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
  const { toolResults } = anthropicMessages.readRequest({
    messages: [user(result('a', { content: deep }))],
  })
  assert.equal(toolResults[0]?.content, '')
})
