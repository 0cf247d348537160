import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { McpServerOptions } from '../src/core/mcp/server-options.ts'
import type { Reply } from '../src/simulator/server.ts'
import { everythingOverHttp, everythingOverStdio } from './support/everything.ts'
import { startGateway } from './support/gateway.ts'
import { mcpServer, textResult } from './support/mcp-server.ts'
import { rawCall } from './support/raw-client.ts'

const http = await everythingOverHttp()
after(() => http.close())
const ways: Readonly<Record<string, McpServerOptions>> = {
  'Streamable HTTP': { url: http.url },
  stdio: everythingOverStdio,
}

const calls: readonly { tool: string; input: object; result: RegExp; error?: true }[] = [
  { tool: 'echo', input: { message: 'hello there' }, result: /Echo: hello there/ },
  { tool: 'get-tiny-image', input: {}, result: /iVBORw0KGgo|image\/png/ },
  { tool: 'get-structured-content', input: { location: 'Chicago' }, result: /temperature/ },
  {
    tool: 'trigger-long-running-operation',
    input: { duration: 1, steps: 2 },
    result: /Long running operation completed/,
  },
  {
    tool: 'get-resource-reference',
    input: { resourceType: 'Blob', resourceId: 1 },
    result: /demo:\/\/resource/,
  },
  { tool: 'echo', input: { wrong: 1 }, result: /Invalid arguments/, error: true },
]

for (const [way, server] of Object.entries(ways)) {
  const gateway = await startGateway({ mcp: { servers: { every: server } } })
  after(() => gateway.close())
  const options = { apiKey: 'k', maxRetries: 0 }
  const anthropic = new Anthropic({ ...options, baseURL: `${gateway.url}/anthropic` })
  const openai = new OpenAI({ ...options, baseURL: `${gateway.url}/openai/v1` })
  const messages = [{ role: 'user' as const, content: 'please' }]
  const model = 'm'
  const ask: Readonly<Record<string, () => Promise<string | null | undefined>>> = {
    Messages: async () =>
      anthropic.messages.stream({ model, max_tokens: 100, messages }).finalText(),
    'Messages, blocking': async () => {
      const { content } = await anthropic.messages.create({ model, max_tokens: 100, messages })
      return content.map((block) => (block.type === 'text' ? block.text : block.type)).join('')
    },
    Chat: async () =>
      openai.chat.completions
        .stream({ model, messages, stream_options: { include_usage: true } })
        .finalContent(),
    'Chat, blocking': async () =>
      (await openai.chat.completions.create({ model, messages })).choices[0]?.message.content,
    Responses: async () => {
      let text = ''
      const events = await openai.responses.create({ model, input: 'please', stream: true })
      for await (const event of events) {
        if (event.type === 'response.output_text.delta') text += event.delta
      }
      return text
    },
    'Responses, blocking': async () =>
      (await openai.responses.create({ model, input: 'please' })).output_text,
  }

  for (const [api, question] of Object.entries(ask)) {
    test(`${way}, ${api}: real tools are run and leave no trace but their records`, async () => {
      for (const { tool, input, result, error } of calls) {
        const at = gateway.upstream.requests.length
        const call = { name: `bmcp_every_${tool}`, input }
        gateway.upstream.next(saying('First. ', call), saying('Then.'))
        assert.equal((await question())?.replace(/\s+/, ' '), 'First. Then.')
        assert.match(JSON.stringify(gateway.upstream.requests[at + 1]?.json), result)
        const [latest] = await gateway.interceptions()
        const stored = await gateway.ended(latest?.id ?? '')
        const [usage, ...more] = stored.toolUsages
        assert.deepEqual(more, [])
        assert.equal(usage?.tool, tool)
        assert.equal(usage?.injected, true)
        assert.equal(usage?.serverUrl, 'url' in server ? http.url : 'stdio:every')
        assert.deepEqual(JSON.parse(usage?.input ?? ''), input)
        assert.ok((usage?.durationMs ?? -1) >= (tool.startsWith('trigger') ? 900 : 0))
        assert.equal(usage?.invocationError !== null, error === true)
        assert.equal(stored.end.outcome, 'completed')
        assert.equal(stored.tokenUsages.length, 2)
        assert.equal(stored.userPrompts.length, 1)
      }
    })
  }
}

for (const disconnect of ['abort', 'drain'] as const)
  test(`a client that leaves cancels the call that runs (${disconnect})`, async (t) => {
    const server = await mcpServer({ call: () => undefined })
    const gateway = await startGateway({
      mcp: { servers: { one: { url: server.url } } },
      disconnect,
    })
    t.after(() => Promise.all([gateway.close(), server.close()]))
    gateway.upstream.next(saying('x', { name: 'bmcp_one_echo', input: {} }))
    const called = server.heard('tools/call')
    const cancelled = server.heard('notifications/cancelled')
    const leaving = new AbortController()
    const answer = fetch(`${gateway.url}/anthropic/v1/messages`, {
      method: 'POST',
      body: question(true),
      signal: leaving.signal,
    }).then((response) => response.text())
    await called
    leaving.abort()
    await assert.rejects(answer)
    await cancelled
    const { end, toolUsages } = await gateway.ended(0)
    assert.equal(end.outcome, 'client_gone')
    assert.equal(toolUsages[0]?.injected, true)
    assert.match(toolUsages[0]?.invocationError ?? '', /./)
    assert.equal(gateway.upstream.requests.length, 1)
    assert.equal(gateway.gateway.openRequests, 0)
  })

test('usage that was asked for in the client’s stead is summed up in records and not shown', async (t) => {
  const server = await mcpServer()
  const gateway = await startGateway({
    mcp: { servers: { one: { url: server.url } } },
    provider: { chatUsage: 'ask' },
  })
  t.after(() => Promise.all([gateway.close(), server.close()]))
  gateway.upstream.next(saying('One.', { name: 'bmcp_one_echo', input: {} }), saying('Two.'))
  const { body } = await rawCall(gateway.port, {
    path: '/openai/v1/chat/completions',
    method: 'POST',
    body: Buffer.from(question(true)),
  })
  assert.match(body.toString(), /data: \[DONE\]\n\n$/)
  assert.doesNotMatch(body.toString(), /total_tokens|bmcp_one/)
  const { tokenUsages, end } = await gateway.ended(0)
  assert.equal(tokenUsages.length, 2)
  assert.equal(end.outcome, 'completed')
})

test('past a limit the client gets an error and the record says tool_limit', async (t) => {
  const server = await mcpServer({ call: () => textResult('again') })
  const gateway = await startGateway({
    mcp: { servers: { one: { url: server.url } }, maxRounds: 2 },
  })
  t.after(() => Promise.all([gateway.close(), server.close()]))
  for (const stream of [true, false]) {
    const again = saying('x', { name: 'bmcp_one_echo', input: {} })
    gateway.upstream.next(again, again)
    const { status, body } = await rawCall(gateway.port, {
      path: '/anthropic/v1/messages',
      method: 'POST',
      body: Buffer.from(question(stream)),
    })
    assert.equal(status, stream ? 200 : 502)
    assert.match(body.toString(), /"type":"error".*after 2 rounds/)
    const { end } = await gateway.ended(stream ? 0 : 1)
    assert.equal(end.outcome, 'failed')
    assert.equal(end.errorType, 'tool_limit')
  }
})

test('with tools offered and none called, reply and prompt are as without', async (t) => {
  const server = await mcpServer()
  const [plain, offering] = await Promise.all([
    startGateway(),
    startGateway({ mcp: { servers: { one: { url: server.url } } } }),
  ])
  t.after(() => Promise.all([plain.close(), offering.close(), server.close()]))
  const raw = await fetch(`${plain.upstream.url}/v1/messages`, {
    method: 'POST',
    body: question(true),
    headers: { 'x-api-key': 'k' },
  }).then((response) => response.arrayBuffer())
  for (const { port, upstream } of [plain, offering]) {
    upstream.next({ raw: Buffer.from(raw) })
    const { body } = await rawCall(port, {
      path: '/anthropic/v1/messages',
      method: 'POST',
      body: Buffer.from(question(true)),
    })
    assert.ok(body.equals(Buffer.from(raw)))
  }
  const [sent] = offering.upstream.requests
  assert.match(String(sent?.body), /^\{"tools":\[\{"name":"bmcp_one_echo"/)
})

function saying(text: string, ...calls: { name: string; input: unknown }[]): Reply {
  return { answer: { text, calls } }
}

function question(stream: boolean): string {
  const messages = [{ role: 'user', content: 'please' }]
  return JSON.stringify({ model: 'm', max_tokens: 100, stream, messages })
}
