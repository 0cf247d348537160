import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { startGateway } from './support/gateway.ts'
import { routes } from './support/questions.ts'

const gateway = await startGateway({ upstreamHeadersTimeout: 300, upstreamIdleTimeout: 300 })
after(() => gateway.close())
const { upstream } = gateway

/** The same calls through the gateway and against the upstream itself. */
const ways = {
  direct: { anthropic: upstream.url, openai: `${upstream.url}/v1` },
  relayed: { anthropic: `${gateway.url}/anthropic`, openai: `${gateway.url}/openai/v1` },
}
type Clients = { anthropic: Anthropic; openai: OpenAI }

function clients({ anthropic, openai }: { anthropic: string; openai: string }): Clients {
  const options = { apiKey: 'sk-test', maxRetries: 0 }
  return {
    anthropic: new Anthropic({ ...options, baseURL: anthropic }),
    openai: new OpenAI({ ...options, baseURL: openai }),
  }
}
const direct = clients(ways.direct)
const relayed = clients(ways.relayed)

const messages = routes.messages.ask as unknown as Anthropic.MessageCreateParamsNonStreaming
const chat = routes.chat.ask as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming
const responses = routes.responses
  .ask as unknown as OpenAI.Responses.ResponseCreateParamsNonStreaming

const calls: Record<string, (clients: Clients) => Promise<unknown>> = {
  'messages.create': async ({ anthropic }) => {
    const message = await anthropic.messages.create(messages)
    return [message, message._request_id]
  },
  'messages.create streamed': async ({ anthropic }) =>
    all(await anthropic.messages.create({ ...messages, stream: true })),
  'messages.stream': async ({ anthropic }) => {
    const stream = anthropic.messages.stream(messages)
    return [await stream.finalMessage(), await stream.finalText().catch(() => null)]
  },
  'messages.countTokens': ({ anthropic }) =>
    anthropic.messages.countTokens({ model: 'm', messages: messages.messages }),
  'models.list': async ({ anthropic, openai }) => [
    (await anthropic.models.list()).data,
    (await openai.models.list()).data,
  ],
  'chat.completions.create': async ({ openai }) => {
    const completion = await openai.chat.completions.create(chat)
    return [completion, completion._request_id]
  },
  'chat.completions.create streamed': async ({ openai }) =>
    all(await openai.chat.completions.create({ ...chat, stream: true })),
  'chat.completions.create streamed with usage': async ({ openai }) => {
    const options = { stream: true, stream_options: { include_usage: true } } as const
    return all(await openai.chat.completions.create({ ...chat, ...options }))
  },
  'chat.completions.stream': ({ openai }) =>
    openai.chat.completions.stream({ ...chat, stream: true }).finalChatCompletion(),
  'responses.create': async ({ openai }) => {
    const response = await openai.responses.create(responses)
    return [response, response._request_id]
  },
  'responses.create streamed': async ({ openai }) =>
    all(await openai.responses.create({ ...responses, stream: true })),
  'responses.stream': ({ openai }) =>
    openai.responses.stream({ ...responses, stream: true } as never).finalResponse(),
  'embeddings.create': ({ openai }) => openai.embeddings.create({ model: 'm', input: 'hello' }),
}

for (const [name, call] of Object.entries(calls)) {
  test(`${name} gives what it gives without the gateway`, async () => {
    assert.deepEqual(plain(await call(relayed)), plain(await call(direct)))
  })

  for (const status of [400, 401, 404, 429, 500, 529]) {
    if (name === 'models.list' || name.startsWith('embeddings')) continue
    test(`${name} refused with ${status} throws what it throws without the gateway`, async () => {
      const errors: unknown[] = []
      for (const way of [relayed, direct]) {
        upstream.next({ status })
        errors.push(await call(way).catch(described))
      }
      assert.deepEqual(errors[0], errors[1])
      assert.ok(errors[0])
    })
  }
}

for (const name of ['messages', 'chat', 'responses'] as const) {
  const start = (way: Clients): Promise<AsyncIterable<unknown>> => {
    if (name === 'messages') return way.anthropic.messages.create({ ...messages, stream: true })
    if (name === 'chat') return way.openai.chat.completions.create({ ...chat, stream: true })
    return way.openai.responses.create({ ...responses, stream: true })
  }

  test(`${name}: an error amid the stream is the same error`, async () => {
    const seen: unknown[] = []
    for (const way of [relayed, direct]) {
      upstream.next({ error: 3 })
      seen.push(await all(await start(way)).then(plain, described))
    }
    assert.deepEqual(seen[0], seen[1])
  })

  test(`${name}: a stream that breaks off throws, as it does without the gateway`, async () => {
    for (const way of [relayed, direct]) {
      upstream.next({ cut: 4 })
      await assert.rejects(async () => all(await start(way)))
    }
  })

  test(`${name}: an abort ends the upstream’s reply`, async () => {
    const at = upstream.requests.length
    const nth = (await gateway.interceptions()).length
    upstream.next({ stall: 4 })
    for await (const event of await start(relayed)) {
      assert.ok(event)
      break
    }
    assert.equal(await upstream.requests[at]?.ended, 'gone')
    assert.equal((await gateway.ended(nth)).end.outcome, 'client_gone')
  })

  test(`${name}: our own errors are the SDK’s own kinds`, async () => {
    for (const [reply, status] of [
      [{ cut: true }, 502],
      [{ stall: true }, 504],
    ] as const) {
      upstream.next(reply)
      const error = await start(relayed).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof Anthropic.APIError || error instanceof OpenAI.APIError)
      assert.equal(error.status, status)
      assert.match(error.message, /upstream/)
    }
  })
}

test('a stream that the SDK has read to its end is on record as completed', async () => {
  for (const name of ['messages', 'chat', 'responses'] as const) {
    const nth = (await gateway.interceptions()).length
    if (name === 'messages') await relayed.anthropic.messages.stream(messages).finalMessage()
    else if (name === 'chat') {
      for await (const _ of await relayed.openai.chat.completions.create({
        ...chat,
        stream: true,
      }));
    } else
      for await (const _ of await relayed.openai.responses.create({ ...responses, stream: true }));
    const { end, toolUsages } = await gateway.ended(nth)
    assert.equal(end.outcome, 'completed')
    assert.equal(toolUsages.length, 1)
  }
})

async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const events: unknown[] = []
  for await (const event of stream) events.push(event)
  return events
}

/** As plain data, less what the SDKs hang on it. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function described(error: unknown): unknown {
  assert.ok(error instanceof Error)
  const { status, error: body, requestID, type, code } = error as unknown as Record<string, unknown>
  const kind = error.constructor.name
  return plain({ kind, message: error.message, status, body, requestID, type, code })
}
