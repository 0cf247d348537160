import assert from 'node:assert/strict'
import test from 'node:test'
import { openaiResponses } from '../../../src/core/formats/openai-responses/format.ts'
import { frame } from '../../support/frames.ts'
import { readBody, readStream } from '../../support/read-reply.ts'

const event = (type: string, more: object = {}) => frame(type, { type, ...more })
const added = (output_index: number, item: object) =>
  event('response.output_item.added', { output_index, item })
const itemDone = (output_index: number, item: object) =>
  event('response.output_item.done', { output_index, item })
const end = (status: string, more: object = {}) =>
  event(`response.${status}`, { response: { id: 'resp_1', status, output: [], ...more } })
const call = (id: string, more: object = {}) => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: `call_${id}`,
  name: 'add',
  arguments: '{"a": 1}',
  ...more,
})

const hosted: [object, string, string, string][] = [
  [
    { type: 'web_search_call', id: 'ws', action: { type: 'search', query: 'q' } },
    'web_search',
    '',
    '{"type":"search","query":"q"}',
  ],
  [
    { type: 'code_interpreter_call', id: 'ci', code: 'print(1)', outputs: [] },
    'code_interpreter',
    '',
    'print(1)',
  ],
  [
    { type: 'computer_call', id: 'cu', call_id: 'c1', action: { type: 'wait' } },
    'computer',
    'c1',
    '{"type":"wait"}',
  ],
  [
    { type: 'local_shell_call', id: 'ls', call_id: 'c2', action: { command: ['ls'] } },
    'local_shell',
    'c2',
    '{"command":["ls"]}',
  ],
  [
    { type: 'shell_call', id: 'sh', call_id: 'c3', action: { commands: ['ls'] } },
    'shell',
    'c3',
    '{"commands":["ls"]}',
  ],
  [
    { type: 'file_search_call', id: 'fs', queries: ['q'], results: null },
    'file_search',
    '',
    '["q"]',
  ],
  [{ type: 'image_generation_call', id: 'ig', result: 'AAAA' }, 'image_generation', '', ''],
  [
    { type: 'apply_patch_call', id: 'ap', call_id: 'c4', operation: { type: 'delete_file' } },
    'apply_patch',
    'c4',
    '{"type":"delete_file"}',
  ],
  [
    { type: 'custom_tool_call', id: 'ct', call_id: 'c5', name: 'exec', input: 'print("x")' },
    'exec',
    'c5',
    'print("x")',
  ],
  [{ type: 'something_new_call', id: 'sn', arguments: { x: 1 } }, 'something_new', '', '{"x":1}'],
]
for (const [item, tool, toolCallId, input] of hosted) {
  test(`a call of ${tool} is told with its item, streamed and not`, () => {
    const stream = readStream(openaiResponses, [
      added(0, { ...item, status: 'in_progress' }),
      itemDone(0, item),
      end('completed', { output: [item] }),
    ])
    for (const { tools } of [stream, readBody(openaiResponses, { output: [item] })]) {
      assert.equal(tools.length, 1)
      const { id } = item as { id: string }
      assert.deepEqual(
        { tool: tools[0]?.tool, toolCallId: tools[0]?.toolCallId, input: tools[0]?.input },
        { tool, toolCallId, input },
      )
      assert.equal(tools[0]?.itemId, id)
    }
  })
}

test('an MCP call has its own name, its server’s label and its error', () => {
  const item = {
    type: 'mcp_call',
    id: 'mcp_1',
    name: 'roll',
    server_label: 'dice',
    arguments: '{"n":2}',
    error: 'no dice',
    output: null,
  }
  const list = { type: 'mcp_list_tools', server_label: 'dice', tools: [] }
  const { tools } = readBody(openaiResponses, { output: [list, item] })
  assert.deepEqual(
    tools.map(({ tool, serverUrl, input, invocationError }) => ({
      tool,
      serverUrl,
      input,
      invocationError,
    })),
    [{ tool: 'roll', serverUrl: 'dice', input: '{"n":2}', invocationError: 'no dice' }],
  )
})

test('arguments stay as the model wrote them', () => {
  const output = ['', 'words', '{"a": 1}'].map((text) => call(text, { arguments: text }))
  assert.deepEqual(
    readBody(openaiResponses, { output }).tools.map(({ input }) => input),
    ['', 'words', '{"a": 1}'],
  )
})

test('items that end out of order are told in order, each once', () => {
  const output = [call('a'), call('b'), call('c')]
  const { tools } = readStream(openaiResponses, [
    ...output.map((item, at) => added(at, { ...item, arguments: '' })),
    ...[2, 0, 1].map((at) => itemDone(at, output[at] ?? {})),
    end('completed', { output }),
  ])
  assert.deepEqual(
    tools.map(({ toolCallId, input }) => [toolCallId, input]),
    [
      ['call_a', '{"a": 1}'],
      ['call_b', '{"a": 1}'],
      ['call_c', '{"a": 1}'],
    ],
  )
})

test('items that only the final response names are told, others not again', () => {
  const renamed = call('a', { id: 'fc_other' })
  const { tools, text } = readStream(openaiResponses, [
    itemDone(0, call('a')),
    itemDone(1, { ...call('b'), id: 'x', call_id: undefined }),
    end('completed', {
      output: [
        renamed,
        { ...call('b'), id: 'y', call_id: undefined },
        call('c'),
        { type: 'message', content: [{ type: 'output_text', text: 'hello' }] },
      ],
    }),
  ])
  assert.deepEqual(
    tools.map(({ itemId }) => itemId),
    ['fc_a', 'x', 'fc_c'],
  )
  assert.equal(text, 'hello')
})

test('a final response that leaves reasoning out shifts no call into its place', () => {
  const { tools, thoughts } = readStream(openaiResponses, [
    itemDone(0, { type: 'reasoning', id: 'rs', summary: [{ text: 'why' }] }),
    itemDone(1, call('a')),
    itemDone(2, { type: 'web_search_call', id: 'ws' }),
    end('completed', { output: [call('a'), { type: 'web_search_call', id: 'ws' }] }),
  ])
  assert.equal(tools.length, 2)
  assert.equal(thoughts.length, 1)
})

test('items without id and index, or with an index used before, are told apart', () => {
  const { tools } = readStream(openaiResponses, [
    event('response.output_item.done', { item: { type: 'function_call', call_id: 'a' } }),
    event('response.output_item.done', { item: { type: 'function_call', call_id: 'b' } }),
    itemDone(0, call('c')),
    itemDone(0, call('d')),
  ])
  assert.deepEqual(
    tools.map(({ toolCallId }) => toolCallId),
    ['a', 'b', 'call_c', 'call_d'],
  )
})

test('a stream that breaks off tells open items as far as they came', () => {
  const reply = readStream(openaiResponses, [
    event('response.created', { response: { id: 'resp_1' } }),
    added(0, { type: 'reasoning', id: 'rs', summary: [] }),
    event('response.reasoning_summary_text.delta', {
      item_id: 'rs',
      output_index: 0,
      summary_index: 0,
      delta: 'half a ',
    }),
    event('response.reasoning_summary_text.delta', {
      item_id: 'rs',
      output_index: 0,
      summary_index: 0,
      delta: 'thought',
    }),
    added(1, call('a', { arguments: '' })),
    event('response.function_call_arguments.delta', {
      item_id: 'fc_a',
      output_index: 1,
      delta: '{"a',
    }),
    added(2, { type: 'custom_tool_call', id: 'ct', call_id: 'c', name: 'exec', input: '' }),
    event('response.custom_tool_call_input.delta', { output_index: 2, delta: 'print' }),
    added(3, { type: 'code_interpreter_call', id: 'ci', code: null }),
    event('response.code_interpreter_call_code.done', { output_index: 3, code: 'x = 1' }),
  ])
  assert.deepEqual(
    reply.thoughts.map(({ text }) => text),
    ['half a thought'],
  )
  assert.deepEqual(
    reply.tools.map(({ tool, input }) => [tool, input]),
    [
      ['add', '{"a'],
      ['exec', 'print'],
      ['code_interpreter', 'x = 1'],
    ],
  )
  assert.deepEqual(reply.verdict, { outcome: 'upstream_cut' })
  assert.equal(reply.messageId, 'resp_1')
})

test('summaries, reasoning text and commentary are told part by part', () => {
  const output = [
    {
      type: 'reasoning',
      id: 'rs',
      summary: [{ type: 'summary_text', text: 'one' }, { text: '' }, { text: 'two' }],
      content: [{ type: 'reasoning_text', text: 'plain' }],
      encrypted_content: 'xxx',
    },
    {
      type: 'message',
      id: 'msg',
      role: 'assistant',
      phase: 'commentary',
      content: [{ type: 'output_text', text: 'I look' }],
    },
    {
      type: 'message',
      id: 'msg2',
      role: 'assistant',
      phase: 'final_answer',
      content: [{ type: 'output_text', text: 'done' }],
    },
  ]
  const stream = readStream(openaiResponses, [
    ...output.flatMap((item, at) => [
      added(at, { ...item, content: [], summary: [] }),
      ...(at === 0
        ? []
        : [
            event('response.output_text.delta', {
              output_index: at,
              content_index: 0,
              delta: at === 1 ? 'I look' : 'done',
            }),
          ]),
      itemDone(at, item),
    ]),
    end('completed', { output }),
  ])
  for (const reply of [stream, readBody(openaiResponses, { status: 'completed', output })]) {
    assert.deepEqual(
      reply.thoughts.map(({ index, source, text }) => [index, source, text]),
      [
        [0, 'reasoning_summary', 'one'],
        [1, 'reasoning_summary', 'two'],
        [2, 'reasoning_text', 'plain'],
        [3, 'commentary', 'I look'],
      ],
    )
    assert.equal(reply.text, 'done')
    assert.deepEqual(reply.reasons, ['completed'])
  }
})

test('text is told once, whether it came in pieces, as a whole, or only with its item', () => {
  const item = {
    type: 'message',
    id: 'm',
    content: [
      { type: 'output_text', text: 'ab' },
      { type: 'refusal', refusal: 'no' },
    ],
  }
  const at = { output_index: 0, item_id: 'm' }
  const pieces = [
    event('response.output_text.delta', { ...at, content_index: 0, delta: 'a' }),
    event('response.output_text.delta', { ...at, content_index: 0, delta: 'b' }),
  ]
  const text = event('response.output_text.done', { ...at, content_index: 0, text: 'ab' })
  const refusal = event('response.refusal.done', { ...at, content_index: 1, refusal: 'no' })
  for (const frames of [[...pieces, text, refusal], pieces, [text], [refusal, text], []]) {
    const open = added(0, { type: 'message', id: 'm', content: [] })
    const reply = readStream(openaiResponses, [
      open,
      ...frames,
      itemDone(0, item),
      end('completed'),
    ])
    assert.equal([...reply.text].sort().join(''), 'abno')
  }
})

const outcomes: [string, Parameters<typeof readStream>[1], object, string[]][] = [
  ['completed', [end('completed')], { outcome: 'completed' }, ['completed']],
  [
    'incomplete',
    [end('incomplete', { incomplete_details: { reason: 'max_output_tokens' } })],
    { outcome: 'completed' },
    ['max_output_tokens'],
  ],
  [
    'failed',
    [end('failed', { error: { code: 'rate_limit_exceeded', message: 'slow' } })],
    { outcome: 'failed', errorType: 'rate_limited', errorMessage: 'slow' },
    ['failed'],
  ],
  [
    'failed without an error',
    [end('failed')],
    { outcome: 'failed', errorType: 'unknown', errorMessage: 'the response has status failed' },
    ['failed'],
  ],
  [
    'an error event',
    [event('error', { code: 'ERR_X', message: 'm' })],
    { outcome: 'failed', errorType: 'unknown', errorMessage: 'm' },
    [],
  ],
  [
    'a nested error event',
    [event('error', { error: { type: 'server_error', message: 'm' } })],
    { outcome: 'failed', errorType: 'server_error', errorMessage: 'm' },
    [],
  ],
  [
    'an error of another API',
    [frame('', { error: { code: 503, message: 'm' } })],
    { outcome: 'failed', errorType: 'overloaded', errorMessage: 'm' },
    [],
  ],
  ['nothing', [event('response.created')], { outcome: 'upstream_cut' }, []],
]
for (const [name, frames, verdict, reasons] of outcomes) {
  test(`a stream that ends with ${name}`, () => {
    const reply = readStream(openaiResponses, frames)
    assert.deepEqual(reply.verdict, verdict)
    assert.deepEqual(reply.reasons, reasons)
  })
}

test('a whole body is judged as its stream', () => {
  const failed = { status: 'failed', error: { code: 'server_error', message: 'm' } }
  assert.deepEqual(readBody(openaiResponses, failed).verdict, {
    outcome: 'failed',
    errorType: 'server_error',
    errorMessage: 'm',
  })
  const incomplete = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
  assert.deepEqual(readBody(openaiResponses, incomplete).reasons, ['content_filter'])
})

test('the end is known by the event’s name, or by its data where it has none', () => {
  for (const type of ['response.completed', 'response.failed', 'response.incomplete', 'error']) {
    assert.equal(openaiResponses.isTerminal(event(type)), true)
    assert.equal(openaiResponses.isTerminal(frame('', { type })), true)
  }
  assert.equal(openaiResponses.isTerminal(event('response.output_item.done')), false)
  const text = { type: 'response.output_text.delta', delta: '"error"' }
  assert.equal(openaiResponses.isTerminal(frame('', text)), false)
})
