import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { EventOf, EventType } from '../../../src/core/events.ts'
import { formats } from '../../../src/core/formats/formats.ts'
import { objectOf } from '../../../src/core/json.ts'
import { HiddenCalls } from '../../../src/core/tool-rounds/hidden-calls.ts'
import { limitError } from '../../../src/core/tool-rounds/limits.ts'
import { undiciTransport } from '../../../src/core/transports/undici.ts'
import { fakeUpstream, type Reply } from '../../../src/simulator/server.ts'
import { routes } from '../../support/questions.ts'
import { type TriedRounds, type TryOptions, tryRounds } from '../../support/tool-rounds.ts'

const upstream = await fakeUpstream()
const transport = undiciTransport()
after(async () => {
  await upstream.close()
  await transport.close()
})

const list = { name: 'bmcp_coder_coder_list_workspaces', input: { owner: 'admin' } }
const own = { name: 'get_weather', input: { city: 'Oslo' } }
const usage = { total: 100, cacheRead: 10, cacheWrite: 0, output: 7, reasoning: 2 }
const says = (text: string, ...calls: { name: string; input: unknown }[]): Reply => ({
  answer: { text, calls, usage, thoughts: [`about ${text}`] },
})

const kinds = {
  messages: { format: formats.anthropic_messages, id: 'msg_' },
  chat: { format: formats.openai_chat, id: 'chatcmpl-' },
  responses: { format: formats.openai_responses, id: 'resp_' },
} as const
type Kind = keyof typeof kinds

for (const kind of ['messages', 'chat', 'responses'] as const) {
  for (const stream of [true, false]) {
    const way = `${kind}, ${stream ? 'streamed' : 'blocking'}`

    test(`${way}: without a call of ours the reply is the upstream’s, to the byte`, async () => {
      const got = await tried(kind, stream, [says('hello', own)])
      const plain = await direct(kind, [says('hello', own)], got.requests[0])
      assert.ok(got.bytes.equals(plain))
      assert.equal(got.requests.length, 1)
    })

    test(`${way}: three rounds are one answer to the SDK`, async () => {
      const got = await tried(kind, stream, [
        says('one', list),
        says('two', list, list),
        says('three'),
      ])
      const answer = await parsed(kind, stream, got)
      assert.equal(got.requests.length, 3)
      assert.deepEqual(answer.texts.join(''), 'onetwothree')
      assert.deepEqual(answer.calls, [])
      assert.equal(answer.usage.output, 21)
      assert.equal(answer.usage.input, kind === 'messages' ? 270 : 300)
      const ids = of(got, 'usage')
        .filter(({ final }) => final)
        .map(({ messageId }) => messageId)
      assert.equal(ids.length, 3)
      assert.equal(answer.id, kind === 'responses' ? ids[2] : ids[0])
      assert.deepEqual(
        of(got, 'tool_call').map(({ tool, injected, invocationError }) => [
          tool,
          injected,
          invocationError,
        ]),
        Array(3).fill(['coder_list_workspaces', true, null]),
      )
      assert.deepEqual(got.verdict, { outcome: 'completed' })
    })

    test(`${way}: a call of the client’s beside ours is the client’s to answer`, async () => {
      const got = await tried(kind, stream, [says('one', list), says('two', list, own)])
      const answer = await parsed(kind, stream, got)
      assert.deepEqual(answer.calls, [['get_weather', { city: 'Oslo' }]])
      assert.match(answer.finish, /tool_use|tool_calls|completed/)
      assert.equal(got.requests.length, 2)
      const told = of(got, 'tool_call').map(({ tool, injected }) => `${tool} ${injected}`)
      assert.deepEqual(told.sort(), [
        'coder_list_workspaces true',
        'coder_list_workspaces true',
        'get_weather false',
      ])
    })

    test(`${way}: its next request gets what the client never saw of ours put back`, async () => {
      const hiddenCalls = new HiddenCalls()
      const first = await tried(kind, stream, [says('two', list, own)], { hiddenCalls })
      const [call] = of(first, 'tool_call').filter(({ injected }) => !injected)
      const [ours] = of(first, 'tool_call').filter(({ injected }) => injected)
      const request = nextRequest(kind, call?.toolCallId ?? '')
      const next = { request: JSON.stringify(request), hiddenCalls }
      const [sent] = (await tried(kind, stream, [says('done')], next)).requests
      assert.deepEqual(
        sent?.[kind === 'responses' ? 'input' : 'messages'],
        {
          messages: [
            request.messages?.[0],
            {
              role: 'assistant',
              content: [
                { type: 'tool_use', id: call?.toolCallId, name: own.name, input: own.input },
                { type: 'tool_use', id: ours?.toolCallId, name: list.name, input: list.input },
              ],
            },
            {
              role: 'user',
              content: [
                { type: 'tool_result', tool_use_id: call?.toolCallId, content: 'cold' },
                {
                  type: 'tool_result',
                  tool_use_id: ours?.toolCallId,
                  is_error: false,
                  content: [{ type: 'text', text: 'mock' }],
                },
              ],
            },
          ],
          chat: [
            request.messages?.[0],
            {
              role: 'assistant',
              content: null,
              tool_calls: [chatCall(call?.toolCallId, own), chatCall(ours?.toolCallId, list)],
            },
            { role: 'tool', tool_call_id: call?.toolCallId, content: 'cold' },
            { role: 'tool', tool_call_id: ours?.toolCallId, content: 'mock' },
          ],
          responses: [
            { type: 'function_call_output', call_id: call?.toolCallId, output: 'cold' },
            { type: 'function_call_output', call_id: ours?.toolCallId, output: 'mock' },
          ],
        }[kind],
      )
      // Nobody else's request gets any of it.
      const { calls } = await parsed(kind, stream, first)
      assert.equal(calls.length, 1)
    })

    test(`${way}: a model that never ends calling is stopped`, async () => {
      const rounds = Array(5).fill(says('again', list))
      const more = tried(kind, stream, rounds, { limits: { maxRounds: 3 } })
      await assertLimit(stream, more, /after 3 rounds/)
      const calls = tried(kind, stream, [says('x', list, list), ...rounds], {
        limits: { maxCalls: 2 },
      })
      await assertLimit(stream, calls, /more than 2 calls/)
    })

    test(`${way}: tools that take too long in all are stopped`, async () => {
      const slow = tried(kind, stream, [says('wait', list)], {
        limits: { totalTimeout: 50 },
        callTool: (_, __, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
          }),
      })
      await assertLimit(stream, slow, /more than 50 ms/)
    })

    test(`${way}: a later round that comes too late is stopped`, async () => {
      const late = tried(kind, stream, [says('wait', list), { ...says('two'), stall: 2 }], {
        limits: { totalTimeout: 100 },
      })
      await assertLimit(stream, late, /more than 100 ms/)
    })

    test(`${way}: a refusal of a later round reaches the client as the error that it is`, async () => {
      const got = await tried(kind, stream, [says('one', list), { status: 429 }])
      assert.equal(got.verdict.outcome, 'failed')
      assert.equal('errorType' in got.verdict && got.verdict.errorType, 'rate_limited')
      if (stream) await assert.rejects(parsed(kind, stream, got))
      else assert.equal(got.reply.status, 429)
    })

    test(`${way}: a later round that breaks off looks broken off`, async () => {
      const cut = tried(kind, stream, [says('one', list), { ...says('two'), cut: stream ? 3 : 1 }])
      await assert.rejects(cut)
    })

    test(`${way}: the result of a call goes to the model in its own form, errors as such`, async () => {
      const got = await tried(kind, stream, [says('one', list), says('two')], {
        callTool: async () => ({
          isError: true,
          content: [{ type: 'text', text: 'no such owner' }],
        }),
      })
      const sent = JSON.stringify(got.requests[1])
      assert.ok(sent.includes('no such owner'))
      assert.equal(of(got, 'tool_call')[0]?.invocationError?.includes('no such owner'), true)
    })
  }
}

test('streamed and blocking replies say the same, but for ids', async () => {
  for (const kind of ['messages', 'chat', 'responses'] as const) {
    const rounds = () => [says('one', list), says('two', list), says('three', own)]
    const [streamed, blocking] = await Promise.all([
      tried(kind, true, rounds()).then((got) => parsed(kind, true, got)),
      tried(kind, false, rounds()).then((got) => parsed(kind, false, got)),
    ])
    assert.deepEqual({ ...streamed, id: '' }, { ...blocking, id: '' }, kind)
  }
})

test('each frame passes before the next one has come, tools or no tools', async () => {
  const first = Promise.withResolvers<void>()
  const raw = async function* () {
    yield 'event: message_start\ndata: {"type":"message_start","message":{"id":"m"}}\n\n'
    await first.promise
    yield 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
  }
  const got = await tried('messages', true, [{ raw: raw() }], { onChunk: () => first.resolve() })
  assert.ok(got.text.endsWith('message_stop"}\n\n'))
})

for (const kind of ['messages', 'chat', 'responses'] as const) {
  test(`${kind}: while a tool runs the client is kept waiting by pings`, {
    timeout: 20_000,
  }, async () => {
    const pinged = Promise.withResolvers<void>()
    let running = false
    const got = await tried(kind, true, [says('one', list), says('two')], {
      callTool: async () => {
        running = true
        await pinged.promise
        return {}
      },
      onChunk: (chunk) => {
        const ping = kind === 'messages' ? 'event: ping\n' : ': ping\n\n'
        if (running && chunk.includes(ping)) pinged.resolve()
      },
    })
    assert.equal((await parsed(kind, true, got)).texts.join(''), 'onetwo')
  })
}

/** How a client goes on that has run its own tool. */
function nextRequest(kind: Kind, id: string) {
  const messages = routes.messages.ask.messages as unknown[]
  if (kind === 'responses') {
    const input = [{ type: 'function_call_output', call_id: id, output: 'cold' }]
    return { model: 'm', previous_response_id: 'resp_1', input }
  }
  if (kind === 'chat') {
    const asked = { role: 'assistant', content: null, tool_calls: [chatCall(id, own)] }
    const answer = { role: 'tool', tool_call_id: id, content: 'cold' }
    return { model: 'm', messages: [messages[0], asked, answer] }
  }
  const call = { type: 'tool_use', id, name: own.name, input: own.input }
  const result = { type: 'tool_result', tool_use_id: id, content: 'cold' }
  return {
    model: 'm',
    max_tokens: 9,
    messages: [
      messages[0],
      { role: 'assistant', content: [call] },
      { role: 'user', content: [result] },
    ],
  }
}

function chatCall(id: string | undefined, { name, input }: { name: string; input: unknown }) {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } }
}

async function tried(
  kind: Kind,
  stream: boolean,
  replies: readonly Reply[],
  options: Partial<TryOptions> = {},
): Promise<TriedRounds> {
  const include = kind === 'chat' && stream && { stream_options: { include_usage: true } }
  const request = JSON.stringify({ ...routes[kind].ask, stream, ...include })
  // Bound to this try, since others may run at once.
  const left = [...replies]
  return tryRounds({
    format: kinds[kind].format,
    request,
    send: (sent) => {
      upstream.next(left.shift() ?? {})
      return transport.send({ ...sent, ...target(kind) })
    },
    ...options,
  })
}

function target(kind: Kind) {
  const url = new URL(routes[kind].path.replace(/^\/\w+/, ''), upstream.url)
  return { url, headers: ['content-type', 'application/json'] }
}

async function direct(kind: Kind, replies: readonly Reply[], body: unknown): Promise<Buffer> {
  upstream.next(...replies)
  const { url, headers } = target(kind)
  const [name, value] = headers as [string, string]
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { [name]: value },
  })
  return Buffer.from(await answer.arrayBuffer())
}

interface Parsed {
  readonly id: string
  readonly texts: readonly string[]
  readonly calls: readonly unknown[]
  readonly finish: string
  readonly usage: { readonly input: number; readonly output: number }
}

/** What the vendor's SDK makes of the merged bytes. */
async function parsed(kind: Kind, stream: boolean, got: TriedRounds): Promise<Parsed> {
  const type = stream ? 'text/event-stream' : 'application/json'
  const fetch = async () =>
    new Response(new Uint8Array(got.bytes), {
      status: got.reply.status,
      headers: { 'content-type': type },
    })
  const options = { apiKey: 'k', maxRetries: 0, fetch }
  const ask = routes[kind].ask
  if (kind === 'messages') {
    const { messages } = new Anthropic(options)
    const params = ask as unknown as Anthropic.MessageCreateParamsNonStreaming
    const message = stream
      ? await messages.stream(params).finalMessage()
      : await messages.create(params)
    return {
      id: message.id,
      texts: message.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])),
      calls: message.content.flatMap((block) =>
        block.type === 'tool_use' ? [[block.name, block.input]] : [],
      ),
      finish: String(message.stop_reason),
      usage: { input: message.usage.input_tokens, output: message.usage.output_tokens },
    }
  }
  const openai = new OpenAI(options)
  if (kind === 'chat') {
    const params = ask as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming
    const completion = stream
      ? await openai.chat.completions.stream(params as never).finalChatCompletion()
      : await openai.chat.completions.create(params)
    const [choice] = completion.choices
    return {
      id: completion.id,
      texts: [choice?.message.content ?? ''],
      calls: (choice?.message.tool_calls ?? []).map((call) =>
        call.type === 'function'
          ? [call.function.name, JSON.parse(call.function.arguments)]
          : [call.type],
      ),
      finish: String(choice?.finish_reason),
      usage: {
        input: completion.usage?.prompt_tokens ?? 0,
        output: completion.usage?.completion_tokens ?? 0,
      },
    }
  }
  const params = ask as unknown as OpenAI.Responses.ResponseCreateParamsNonStreaming
  const response = stream
    ? await lastResponse(await openai.responses.create({ ...params, stream: true }))
    : await openai.responses.create(params)
  return {
    id: response.id,
    texts: response.output.flatMap((item) =>
      item.type === 'message'
        ? item.content.map((part) => (part.type === 'output_text' ? part.text : ''))
        : [],
    ),
    calls: response.output.flatMap((item) =>
      item.type === 'function_call' ? [[item.name, JSON.parse(item.arguments)]] : [],
    ),
    finish: String(response.status),
    usage: {
      input: response.usage?.input_tokens ?? 0,
      output: response.usage?.output_tokens ?? 0,
    },
  }
}

/**
 * The final response, its items and numbers as the events before told them. (The SDK's own `stream()` takes no
 * response that ends under another id than it began.)
 */
async function lastResponse(
  events: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>,
): Promise<OpenAI.Responses.Response> {
  const items: unknown[] = []
  let sequence = -1
  for await (const event of events) {
    assert.equal(event.sequence_number, ++sequence)
    if (event.type === 'error') throw new Error(event.message)
    if (event.type === 'response.output_item.added') assert.equal(event.output_index, items.length)
    if (event.type === 'response.output_item.done') {
      assert.equal(event.output_index, items.length)
      items.push(event.item)
    }
    if (event.type !== 'response.completed') continue
    assert.deepEqual(event.response.output, items)
    return event.response
  }
  throw new Error('the stream did not complete')
}

async function assertLimit(
  stream: boolean,
  more: Promise<TriedRounds>,
  why: RegExp,
): Promise<void> {
  if (!stream) {
    await assert.rejects(more, (error) => {
      assert.ok(error instanceof Error)
      assert.equal('code' in error && error.code, limitError('').code)
      assert.match(error.message, why)
      return true
    })
    return
  }
  const { verdict, text, events } = await more
  assert.equal(verdict.outcome, 'failed')
  assert.equal('errorType' in verdict && verdict.errorType, 'tool_limit')
  assert.match('errorMessage' in verdict ? verdict.errorMessage : '', why)
  assert.match(text.slice(-400), why)
  const error = events.find(({ type }) => type === 'error')
  assert.equal(objectOf(error).errorType, 'tool_limit')
}

function of<T extends EventType>({ events }: TriedRounds, type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type)
}
