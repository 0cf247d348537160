import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { formats } from '../../../src/core/formats/formats.ts'
import { arrayOf, type JsonObject, objectOf } from '../../../src/core/json.ts'
import type { FormatName } from '../../../src/core/records.ts'
import { chunked } from '../../support/cuts.ts'
import { type TryOptions, tryRounds } from '../../support/tool-rounds.ts'

const tool = 'bmcp_coder_coder_list_templates'

function sse(...events: readonly JsonObject[]): string {
  return events
    .map(
      (event) => `${event.type ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`,
    )
    .join('')
}

/** A Chat stream of these chunks. */
function completion(...chunks: readonly JsonObject[]): string {
  return `${sse(...chunks)}data: [DONE]\n\n`
}

/** A Messages stream of these blocks, each with its deltas. */
function message(
  id: string,
  blocks: readonly (readonly [JsonObject, ...JsonObject[]])[],
  stop: string | null = 'tool_use',
): string {
  return sse(
    {
      type: 'message_start',
      message: { id, role: 'assistant', content: [], usage: { input_tokens: 5, output_tokens: 1 } },
    },
    { type: 'ping' },
    ...blocks.flatMap(([block, ...deltas], index) => [
      { type: 'content_block_start', index, content_block: block },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    {
      type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: 7 },
    },
    { type: 'message_stop' },
  )
}

const text = (words: string) =>
  [
    { type: 'text', text: '' },
    { type: 'text_delta', text: words },
  ] as const
const call = (id: string, ...pieces: string[]) =>
  [
    { type: 'tool_use', id, name: tool, input: {} },
    ...pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  ] as const

async function tried(
  name: FormatName,
  ask: JsonObject,
  rounds: readonly string[],
  options: Partial<TryOptions> = {},
) {
  return tryRounds({
    format: formats[name],
    request: JSON.stringify({ model: 'm', stream: true, ...ask }),
    rounds: rounds.map((round) => ({ chunks: [round] })),
    ...options,
  })
}

const messages = [{ role: 'user', content: 'go' }]

test('Messages: thinking with its signature, and what is redacted, goes back as it came', async () => {
  const redacted = { type: 'redacted_thinking', data: 'EmwKAhgB' }
  const got = await tried('anthropic_messages', { messages }, [
    message('msg_1', [
      [
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'Let me ' },
        { type: 'thinking_delta', thinking: 'see 🌍' },
        { type: 'signature_delta', signature: 'EqQBCgIYAh' },
      ],
      [redacted],
      call('toolu_1', '{"a":', '"é🌍"', '}'),
    ]),
    message('msg_2', [text('done')], 'end_turn'),
  ])
  assert.deepEqual(arrayOf(got.requests[1]?.messages)[1], {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'Let me see 🌍', signature: 'EqQBCgIYAh' },
      redacted,
      { type: 'tool_use', id: 'toolu_1', name: tool, input: { a: 'é🌍' } },
    ],
  })
  assert.match(got.text, /"content_block_start","index":2,"content_block":\{"type":"text"/)
})

for (const [what, pieces, args] of [
  ['none', [], {}],
  ['empty ones', ['', ''], {}],
  ['null', ['null'], {}],
  ['an empty object', ['{}'], {}],
  ['many pieces', [...'{"city":"Zürich 🌍","n":[1,2]}'], { city: 'Zürich 🌍', n: [1, 2] }],
] as const) {
  test(`Messages: arguments that are ${what}`, async () => {
    const asked: unknown[] = []
    const got = await tried(
      'anthropic_messages',
      { messages },
      [
        message('msg_1', [call('toolu_1', ...pieces)]),
        message('msg_2', [text('done')], 'end_turn'),
      ],
      {
        callTool: async (_, input) => {
          asked.push(input)
          return {}
        },
      },
    )
    assert.deepEqual(asked, [args])
    const [asking] = arrayOf(objectOf(arrayOf(got.requests[1]?.messages)[1]).content)
    assert.deepEqual(objectOf(asking).input, args)
    assert.equal(got.verdict.outcome, 'completed')
  })

  test(`Chat: arguments that are ${what}`, async () => {
    const asked: unknown[] = []
    const [first = '', ...more] = pieces
    const delta = (piece: JsonObject) => ({
      id: 'c1',
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...piece }] } }],
    })
    const got = await tried(
      'openai_chat',
      { messages },
      [
        completion(
          { id: 'c1', choices: [{ index: 0, delta: { role: 'assistant', content: null } }] },
          delta({ id: 'call_1', type: 'function', function: { name: tool, arguments: first } }),
          ...more.map((piece) => delta({ function: { arguments: piece } })),
          { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
        ),
        completion({
          id: 'c2',
          choices: [
            { index: 0, delta: { role: 'assistant', content: 'done' }, finish_reason: 'stop' },
          ],
        }),
      ],
      {
        callTool: async (_, input) => {
          asked.push(input)
          return {}
        },
      },
    )
    assert.deepEqual(asked, [args])
    assert.equal(got.verdict.outcome, 'completed')
    assert.equal(got.text.match(/\[DONE\]/g)?.length, 1)
    assert.ok(!got.text.includes('"c2"'))
  })
}

test('Messages: a stream cut anywhere, also within a character, is read the same', async () => {
  const round = Buffer.from(message('msg_1', [text('grüß 🌍'), call('toolu_1', '{"q":"🌍', 'ß"}')]))
  const rounds = (cut: (bytes: Buffer) => Buffer[]) => [
    { chunks: cut(round) },
    { chunks: cut(Buffer.from(message('msg_2', [text('🎉 fin')], 'end_turn'))) },
  ]
  const ask = {
    format: formats.anthropic_messages,
    request: JSON.stringify({ model: 'm', stream: true, messages }),
  }
  const whole = await tryRounds({ ...ask, rounds: rounds((bytes) => [bytes]) })
  const single = await tryRounds({
    ...ask,
    rounds: rounds((bytes) => chunked(bytes, [...bytes.keys()].slice(1))),
  })
  assert.equal(single.text, whole.text)
  assert.deepEqual(single.requests, whole.requests)
})

for (const stop of ['max_tokens', 'refusal', 'pause_turn', 'model_context_window_exceeded']) {
  test(`Messages: ${stop} in a later round is the reply’s own end`, async () => {
    const got = await tried('anthropic_messages', { messages }, [
      message('msg_1', [text('one '), call('toolu_1', '{}')]),
      message('msg_2', [text('two')], stop),
    ])
    assert.match(got.text, new RegExp(`"stop_reason":"${stop}".*"output_tokens":14`))
    assert.equal(got.verdict.outcome, 'completed')
    assert.equal(got.events.find((event) => event.type === 'finish')?.reason, stop)
  })

  test(`Messages: a call that ${stop} cut short is neither run nor shown`, async () => {
    const got = await tried('anthropic_messages', { messages }, [
      message('msg_1', [text('one'), call('toolu_1', '{"half":')], stop),
    ])
    assert.equal(got.requests.length, 1)
    assert.ok(!got.text.includes('toolu_1'))
    assert.match(got.text, new RegExp(`"stop_reason":"${stop}"`))
    assert.match(got.text, /message_stop/)
    const calls = got.events.filter((event) => event.type === 'tool_call')
    assert.equal(calls.length, 1)
    assert.match(calls[0]?.invocationError ?? '', /not run/)
  })
}

test('Messages: an error in the midst of a round is the last that the client gets', async () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
  const whole = message('msg_1', [text('one'), call('toolu_1', '{}')])
  for (const rounds of [
    [whole.replace(/event: message_stop.*/s, sse(error))],
    [whole, message('msg_2', [text('two')]).replace(/event: message_stop.*/s, sse(error))],
  ]) {
    const got = await tried('anthropic_messages', { messages }, rounds)
    assert.ok(got.text.endsWith(sse(error)), got.text.slice(-300))
    assert.equal(got.verdict.outcome, 'failed')
    assert.equal('errorType' in got.verdict && got.verdict.errorType, 'overloaded')
    assert.equal(got.requests.length, rounds.length)
  }
})

test('Chat: an error behind the calls is the last that the client gets', async () => {
  const error = 'data: {"error":{"message":"broke","type":"server_error"}}\n\n'
  const got = await tried('openai_chat', { messages }, [
    sse(
      {
        id: 'c1',
        choices: [
          {
            index: 0,
            delta: {
              tool_calls: [{ index: 0, id: 'x', function: { name: tool, arguments: '{}' } }],
            },
          },
        ],
      },
      { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    ) + error,
  ])
  assert.ok(got.text.endsWith(error), got.text)
  assert.equal(got.verdict.outcome, 'failed')
})

/** A Responses stream of these items, each whole. */
function response(id: string, items: readonly JsonObject[], end = 'completed'): string {
  let sequence_number = 0
  const usage = { input_tokens: 10, output_tokens: 3, total_tokens: 13 }
  const numbered = (event: JsonObject) => ({ ...event, sequence_number: sequence_number++ })
  return sse(
    numbered({ type: 'response.created', response: { id, status: 'in_progress', output: [] } }),
    ...items.flatMap((item, output_index) => [
      numbered({
        type: 'response.output_item.added',
        output_index,
        item: { ...item, arguments: '' },
      }),
      numbered({ type: 'response.output_item.done', output_index, item }),
    ]),
    numbered({ type: `response.${end}`, response: { id, status: end, output: items, usage } }),
  )
}

const fn = (id: string, name = tool) => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: '{"a":1}',
  status: 'completed',
})
const said = (id: string, words: string) => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: words, annotations: [] }],
})

for (const store of [true, false]) {
  test(`Responses: reasoning goes back where the upstream can know it (store: ${store})`, async () => {
    const encrypted = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' }
    const bare = { type: 'reasoning', id: 'rs_2', summary: [] }
    const got = await tried('openai_responses', { input: 'go', store }, [
      response('resp_1', [encrypted, bare, said('msg_1', 'one'), fn('call_1'), fn('call_2')]),
      response('resp_2', [said('msg_2', 'two')]),
    ])
    assert.deepEqual(got.requests[1]?.input, [
      { role: 'user', content: 'go' },
      encrypted,
      ...(store ? [bare] : []),
      said('msg_1', 'one'),
      fn('call_1'),
      fn('call_2'),
      { type: 'function_call_output', call_id: 'call_1', output: 'mock' },
      { type: 'function_call_output', call_id: 'call_2', output: 'mock' },
    ])
    const last = frames(got.text).at(-1)
    const output = arrayOf(objectOf(last?.response).output).map((item) => objectOf(item).id)
    assert.deepEqual(output, ['rs_1', 'rs_2', 'msg_1', 'msg_2'])
    const usage = objectOf(objectOf(last?.response).usage)
    assert.deepEqual(usage, { input_tokens: 20, output_tokens: 6, total_tokens: 26 })
    assertNumbered(got.text)
  })
}

test('Responses: an upstream that numbers its items from the start in each round loses none', async () => {
  const got = await tried('openai_responses', { input: 'go' }, [
    response('resp_1', [fn('1')]),
    response('resp_2', [{ ...said('fc_1', 'two') }]),
  ])
  assert.match(got.text, /"text":"two"/)
  assert.deepEqual(
    frames(got.text).map(({ type }) => type),
    [
      'response.created',
      'response.output_item.added',
      'response.output_item.done',
      'response.completed',
    ],
  )
})

for (const end of ['incomplete', 'failed']) {
  test(`Responses: ${end} in a later round is the reply’s own end`, async () => {
    const got = await tried('openai_responses', { input: 'go' }, [
      response('resp_1', [said('msg_1', 'one'), fn('call_1')]),
      response('resp_2', [said('msg_2', 'two'), fn('call_2')], end),
    ])
    assert.equal(got.requests.length, 2)
    const last = frames(got.text).at(-1)
    assert.equal(last?.type, `response.${end}`)
    const output = arrayOf(objectOf(last?.response).output).map((item) => objectOf(item).id)
    assert.deepEqual(output, ['msg_1', 'msg_2'])
    assert.equal(got.verdict.outcome, end === 'failed' ? 'failed' : 'completed')
    assert.equal(got.events.filter((event) => event.type === 'usage' && event.final).length, 2)
    assertNumbered(got.text)
  })
}

for (const [name, ask, forced] of [
  ['anthropic_messages', { messages }, { type: 'tool', name: tool }],
  ['anthropic_messages', { messages }, { type: 'any' }],
  ['openai_chat', { messages }, { type: 'function', function: { name: tool } }],
  ['openai_chat', { messages }, 'required'],
  ['openai_responses', { input: 'go' }, { type: 'function', name: tool }],
  ['openai_responses', { input: 'go' }, 'required'],
] as const) {
  test(`${name}: a call that was forced is not forced again (${JSON.stringify(forced)})`, async () => {
    const rounds = {
      anthropic_messages: [
        message('m1', [call('toolu_1', '{}')]),
        message('m2', [text('done')], 'end_turn'),
      ],
      openai_chat: [chatCall('c1'), chatText('c2')],
      openai_responses: [
        response('resp_1', [fn('call_1')]),
        response('resp_2', [said('msg_2', 'two')]),
      ],
    }[name]
    const got = await tried(name, { ...ask, tool_choice: forced }, rounds)
    const [first, second] = got.requests.map(({ tool_choice }) => tool_choice)
    assert.deepEqual(
      first,
      name === 'anthropic_messages'
        ? { ...objectOf(forced), disable_parallel_tool_use: true }
        : forced,
    )
    assert.deepEqual(
      second,
      name === 'anthropic_messages' ? { type: 'auto', disable_parallel_tool_use: true } : 'auto',
    )
    // One of the client's own tools is what the client waits for.
    const tools =
      name === 'openai_chat'
        ? [{ type: 'function', function: { name: 'own' } }]
        : [{ type: 'function', name: 'own' }]
    const own = await tried(name, { ...ask, tools, tool_choice: forced }, rounds)
    const named = JSON.stringify(forced).includes(tool)
    assert.equal(JSON.stringify(own.requests[1]?.tool_choice) === JSON.stringify(first), !named)
  })
}

test('Chat: calls without ids are answered under ids of ours, and on record as they came', async () => {
  const piece = (index: number) => ({
    index,
    type: 'function',
    function: { name: tool, arguments: `{"n":${index}}` },
  })
  const got = await tried('openai_chat', { messages }, [
    completion(
      {
        id: 'c1',
        choices: [{ index: 0, delta: { role: 'assistant', tool_calls: [piece(0), piece(1)] } }],
      },
      { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    ),
    chatText('c2'),
  ])
  const [, asked, ...answered] = arrayOf(got.requests[1]?.messages).map(objectOf)
  assert.deepEqual(
    arrayOf(asked?.tool_calls).map((call) => objectOf(call).id),
    ['call_0', 'call_1'],
  )
  assert.deepEqual(
    answered.map(({ role, tool_call_id }) => [role, tool_call_id]),
    [
      ['tool', 'call_0'],
      ['tool', 'call_1'],
    ],
  )
  const told = got.events.flatMap((event) => (event.type === 'tool_call' ? [event] : []))
  assert.deepEqual(
    told.map(({ toolCallId, input, invocationError }) => [toolCallId, input, invocationError]),
    [
      ['', '{"n":0}', null],
      ['', '{"n":1}', null],
    ],
  )
})

for (const parallel of [true, false]) {
  test(`calls of one answer run ${parallel ? 'at once' : 'one after the other'}, and are answered in order`, async () => {
    let running = 0
    let most = 0
    const both = Promise.withResolvers<void>()
    const got = await tried(
      'anthropic_messages',
      { messages },
      [
        message('m1', [call('toolu_1', '{"n":1}'), call('toolu_2', '{"n":2}')]),
        message('m2', [text('done')], 'end_turn'),
      ],
      {
        limits: { parallel },
        callTool: async (_, { n }) => {
          most = Math.max(most, ++running)
          if (most === 2 || !parallel) both.resolve()
          await both.promise
          running--
          if (n === 1) throw new Error('the first one fails')
          return { content: [{ type: 'text', text: `result ${n}` }] }
        },
      },
    )
    assert.equal(most, parallel ? 2 : 1)
    const results = arrayOf(objectOf(arrayOf(got.requests[1]?.messages).at(-1)).content).map(
      objectOf,
    )
    assert.deepEqual(
      results.map(({ tool_use_id, is_error }) => [tool_use_id, is_error]),
      [
        ['toolu_1', true],
        ['toolu_2', false],
      ],
    )
    assert.equal(arrayOf(got.requests[1]?.messages).length, 3)
    const errors = got.events.flatMap((event) =>
      event.type === 'tool_call' ? [event.invocationError] : [],
    )
    assert.deepEqual(errors.toSorted(), [null, 'the first one fails'])
  })
}

for (const stream of [true, false]) {
  test(`an upstream that compresses unasked is read all the same (${stream ? 'streamed' : 'blocking'})`, async () => {
    const whole = (id: string, content: unknown, stop_reason: string) =>
      JSON.stringify({
        id,
        type: 'message',
        role: 'assistant',
        content,
        stop_reason,
        usage: { input_tokens: 1, output_tokens: 2 },
      })
    const rounds = stream
      ? [message('msg_1', [call('toolu_1', '{}')]), message('msg_2', [text('done')], 'end_turn')]
      : [
          whole('msg_1', [{ type: 'tool_use', id: 'toolu_1', name: tool, input: {} }], 'tool_use'),
          whole('msg_2', [{ type: 'text', text: 'done' }], 'end_turn'),
        ]
    const headers = [
      'content-type',
      stream ? 'text/event-stream' : 'application/json',
      'content-encoding',
      'gzip',
    ]
    const got = await tryRounds({
      format: formats.anthropic_messages,
      request: JSON.stringify({ model: 'm', stream, messages }),
      rounds: rounds.map((round) => ({ chunks: [gzipSync(round)], headers })),
    })
    assert.match(got.text, /"text":"done"/)
    assert.ok(!got.text.includes('toolu_1'))
    assert.ok(!got.reply.headers.includes('gzip'))
    assert.equal(got.verdict.outcome, 'completed')
    const refused = await tryRounds({
      format: formats.anthropic_messages,
      request: JSON.stringify({ model: 'm', stream, messages }),
      rounds: [
        { chunks: [rounds[0] ?? ''] },
        {
          chunks: [
            gzipSync('{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'),
          ],
          headers: ['content-type', 'application/json', 'content-encoding', 'gzip'],
          status: 429,
        },
      ],
    })
    assert.match(refused.text, /slow down/)
    assert.equal('errorType' in refused.verdict && refused.verdict.errorType, 'rate_limited')
  })
}

function chatCall(id: string): string {
  const tool_calls = [
    { index: 0, id: 'call_1', type: 'function', function: { name: tool, arguments: '{}' } },
  ]
  return completion(
    { id, choices: [{ index: 0, delta: { role: 'assistant', tool_calls } }] },
    { id, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
  )
}

function chatText(id: string): string {
  return completion({
    id,
    choices: [{ index: 0, delta: { role: 'assistant', content: 'done' }, finish_reason: 'stop' }],
  })
}

function frames(stream: string): JsonObject[] {
  return stream.split('\n\n').flatMap((frame) => {
    const data = /^data: (\{.*)$/m.exec(frame)?.[1]
    return data ? [objectOf(JSON.parse(data))] : []
  })
}

function assertNumbered(stream: string): void {
  assert.deepEqual(
    frames(stream).map(({ sequence_number }) => sequence_number),
    [...frames(stream).keys()],
  )
}
