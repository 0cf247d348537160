import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startGateway } from './support/gateway.ts'
import { routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'
import { headerOf } from './support/raw-http.ts'

const who = { id: 'u-1', username: 'ann', name: 'Ann' }
const gateway = await startGateway({
  provider: { key: 'sk-configured-key-0123456789' },
  initiator: () => who,
})
after(() => gateway.close())
const { upstream } = gateway

type Route = keyof typeof routes
const formats = {
  messages: ['anthropic', 'anthropic_messages', 'tool_use', 'end_turn'],
  chat: ['openai', 'openai_chat', 'tool_calls', 'stop'],
  responses: ['openai', 'openai_responses', 'completed', 'completed'],
} as const

async function call(route: Route, body: object, headers: readonly string[] = []) {
  const bytes = Buffer.from(JSON.stringify({ ...routes[route].ask, ...body }))
  const type = ['content-type', 'application/json']
  const answer = await rawCall(gateway.port, {
    path: routes[route].path,
    headers: [...type, ...headers],
    body: bytes,
  })
  const id = headerOf(answer.headers, 'x-sluice-interception-id') ?? ''
  return { bytes, answer, stored: await gateway.ended(id) }
}

const claude = (session: string) => [
  'user-agent',
  'claude-cli/2.1.330 (external, cli)',
  'x-claude-code-session-id',
  session,
]

for (const [name, [provider, format, toolFinish, finish]] of Object.entries(formats)) {
  const route = name as Route
  for (const stream of [true, false]) {
    const how = stream ? 'streamed' : 'whole'

    test(`${name}, ${how}: every field of start and end says what was`, async () => {
      const from = Date.now()
      const { bytes, answer, stored } = await call(route, { stream }, [
        'user-agent',
        'my-agent/1.0',
        'x-session-id',
        `session of ${name} ${how}`,
        'x-sluice-repo',
        'sluice',
        'x-sluice-issue',
        '4',
      ])
      const { id, start, end } = stored
      const { startedAt, processId, ...rest } = start
      assert.ok(Date.parse(startedAt) >= from && Date.parse(startedAt) <= Date.now())
      assert.match(processId, /^[0-9a-f-]{36}$/)
      assert.deepEqual(withoutStamp(rest), {
        type: 'interception_start',
        initiatorId: 'u-1',
        initiatorUsername: 'ann',
        initiatorName: 'Ann',
        apiKeyId: null,
        provider,
        providerName: provider,
        format,
        model: 'test-model',
        client: 'Unknown',
        clientSessionId: `session of ${name} ${how}`,
        sessionId: `session of ${name} ${how}`,
        threadRootId: null,
        threadParentId: null,
        correlatingToolCallId: null,
        agentId: null,
        parentAgentId: null,
        purpose: null,
        retryOf: null,
        streaming: stream,
        credentialKind: 'centralized',
        credentialHint: 'sk-c...6789',
        annotations: { repo: 'sluice', issue: '4' },
        metadata: { request_user_agent: 'my-agent/1.0' },
      })
      const { endedAt, durationMs, timeToFirstTokenMs, upstreamMs, ...facts } = end
      assert.ok(Date.parse(endedAt) >= Date.parse(startedAt))
      for (const ms of [durationMs, timeToFirstTokenMs, upstreamMs])
        assert.ok(typeof ms === 'number' && ms >= 0 && ms <= durationMs, String(ms))
      assert.deepEqual(withoutStamp(facts), {
        type: 'interception_end',
        outcome: 'completed',
        errorType: null,
        errorMessage: null,
        httpStatus: 200,
        finishReason: toolFinish,
        requestBytes: bytes.length,
        responseBytes: answer.body.length,
        observed: 'full',
        drained: false,
      })
      assert.equal(stored.userPrompts[0]?.prompt, 'What is the weather in Oslo?')
      const msgId = stored.userPrompts[0]?.msgId
      assert.ok(msgId)
      assert.equal(stored.toolUsages[0]?.msgId, msgId)
      assert.equal(stored.id, id)
    })

    test(`${name}, ${how}: a refusal’s end has its status, type and message, and no first token`, async () => {
      upstream.next({ status: 429 })
      const { stored } = await call(route, { stream })
      const { end } = stored
      assert.deepEqual(
        [end.outcome, end.errorType, end.httpStatus, end.finishReason, end.timeToFirstTokenMs],
        ['failed', 'rate_limited', 429, null, null],
      )
      assert.equal(end.errorMessage, 'The simulated rate limit is reached; try again shortly.')
      assert.equal(stored.userPrompts[0]?.prompt, 'What is the weather in Oslo?')
      assert.equal(stored.userPrompts[0]?.msgId, '')
      assert.equal(stored.tokenUsages.length, 0)
    })

    test(`${name}, ${how}: an answer in words ends in the provider’s own word`, async () => {
      const { stored } = await call(route, { stream, tools: undefined })
      assert.equal(stored.end.finishReason, finish)
    })
  }

  test(`${name}: what a client asks on its own account has a purpose, no prompt and no thread`, async () => {
    const instruction =
      route === 'responses'
        ? { instructions: 'You are a title generator.', input: 'hello' }
        : route === 'chat'
          ? {
              messages: [
                { role: 'system', content: 'You are a title generator.' },
                { role: 'user', content: 'hello' },
              ],
            }
          : {
              system: 'You are a title generator.',
              messages: [{ role: 'user', content: 'hello' }],
            }
    const { stored } = await call(route, { ...instruction, tools: undefined }, claude(`t ${name}`))
    const { purpose, threadParentId, threadRootId, sessionId } = stored.start
    assert.deepEqual(
      [purpose, threadParentId, threadRootId, sessionId],
      ['title', null, null, `t ${name}`],
    )
    assert.equal(stored.userPrompts.length, 0)
    assert.equal(stored.tokenUsages.length, 1)
  })
}

for (const route of ['messages', 'chat', 'responses'] as const) {
  test(`${route}: an answer that comes all at once has a first token, too`, async () => {
    upstream.next({ burst: true })
    const { stored } = await call(route, { stream: true })
    assert.notEqual(stored.end.timeToFirstTokenMs, null)
  })
}

test('a sub-agent’s task is a prompt of its own purpose, under its parent’s thread', async () => {
  const session = claude('with a sub-agent')
  const main = await call('messages', { stream: true }, session)
  const agent = await call('messages', { stream: true }, [
    ...session,
    'x-claude-code-agent-id',
    'agent-1',
    'x-claude-code-parent-agent-id',
    'agent-0',
  ])
  const { start, userPrompts } = agent.stored
  assert.deepEqual(
    [start.purpose, start.agentId, start.parentAgentId],
    ['subagent', 'agent-1', 'agent-0'],
  )
  assert.deepEqual([start.threadParentId, start.threadRootId], [main.stored.id, main.stored.id])
  assert.equal(userPrompts[0]?.prompt, 'What is the weather in Oslo?')
})

test('a client’s own key is told as such, and only by its ends', async () => {
  const { stored } = await call('chat', {}, ['authorization', 'Bearer sk-mine-0123456789-abcdef'])
  const { credentialKind, credentialHint } = stored.start
  assert.deepEqual([credentialKind, credentialHint], ['byok', 'sk-m...cdef'])
})

test('a tool’s result is linked to its call, with its size and whether it failed', async () => {
  const messages = [
    { role: 'user', content: 'hello' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_9', name: 'get', input: {} }] },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_9', is_error: true, content: 'żółć' }],
    },
  ]
  const { stored } = await call('messages', { messages })
  assert.equal(stored.start.correlatingToolCallId, 'toolu_9')
  assert.equal(stored.userPrompts.length, 0)
  const [result] = stored.toolResults
  assert.deepEqual(
    [result?.toolCallId, result?.isError, result?.bytes, result?.content],
    ['toolu_9', true, 8, null],
  )
})

function withoutStamp(record: object): object {
  const {
    id: _i,
    interceptionId: _o,
    seq: _s,
    createdAt: _c,
    ...rest
  } = record as Record<string, unknown>
  return rest
}
