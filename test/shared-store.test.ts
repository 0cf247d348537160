import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sqliteRecorder } from '../src/plugins/sqlite-recorder.ts'
import { newPath } from './plugins/sqlite/stores.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'
import { headerOf } from './support/raw-http.ts'

const { path, ask } = routes.messages

async function call(gateway: TestGateway, body: object, headers: readonly string[] = []) {
  const type = ['content-type', 'application/json']
  const answer = await rawCall(gateway.port, { path, headers: [...type, ...headers], body })
  const id = headerOf(answer.headers, 'x-sluice-interception-id') ?? ''
  return gateway.ended(id)
}

function answering(toolCallId: string): object {
  return {
    ...ask,
    messages: [
      { role: 'user', content: 'What is the weather in Oslo?' },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: toolCallId, name: 'get_weather', input: {} }],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: toolCallId, content: 'rain' }],
      },
    ],
  }
}

test('a conversation that goes through several gateways is one thread in their store', async (t) => {
  const path = newPath()
  const gateways = await Promise.all(
    ['sluice-a', 'sluice-b', 'sluice-c'].map((processId) =>
      startGateway({
        plugins: [sqliteRecorder({ path, processId })],
        initiator: (ctx) => ctx.get('x-user') || 'ann',
      }),
    ),
  )
  t.after(() => Promise.all(gateways.map((gateway) => gateway.close())))
  const [a, b, c] = gateways as [TestGateway, TestGateway, TestGateway]

  const first = await call(a, ask)
  const firstCall = first.toolUsages[0]?.toolCallId ?? ''
  b.upstream.next({ answer: { calls: [{ name: 'get_weather', namespace: undefined, input: {} }] } })
  const second = await call(b, answering(firstCall))
  assert.equal(second.start.threadParentId, null, 'its own process knows of no call')
  const third = await call(c, answering(second.toolUsages[0]?.toolCallId ?? ''))
  const stranger = await call(c, answering(firstCall), ['x-user', 'mallory'])

  const store = sqliteRecorder({ path })
  t.after(() => store.close())
  const stands = async (id: string) => {
    const start = (await store.interception(id))?.start
    return [start?.threadParentId, start?.threadRootId, start?.sessionId]
  }
  assert.deepEqual(await stands(first.id), [null, null, first.id])
  assert.deepEqual(await stands(second.id), [first.id, first.id, first.id])
  assert.deepEqual(await stands(third.id), [second.id, first.id, first.id])
  assert.deepEqual(await stands(stranger.id), [null, null, stranger.id])
})

test('a sub-agent that another gateway serves hangs under the call of its session', async (t) => {
  const path = newPath()
  const plugins = () => [sqliteRecorder({ path })]
  const a = await startGateway({ plugins: plugins() })
  const b = await startGateway({ plugins: plugins() })
  t.after(() => Promise.all([a.close(), b.close()]))
  const session = ['user-agent', 'claude-cli/2.1.0 (external)', 'x-claude-code-session-id', 's-1']
  const main = await call(a, ask, session)
  const agent = await call(b, ask, [...session, 'x-claude-code-agent-id', 'agent-1'])
  assert.equal(agent.start.purpose, 'subagent')
  assert.equal(agent.userPrompts[0]?.prompt, 'What is the weather in Oslo?')
  const store = sqliteRecorder({ path })
  t.after(() => store.close())
  const stored = (await store.interception(agent.id))?.start
  assert.deepEqual([stored?.threadParentId, stored?.sessionId], [main.id, 's-1'])
})
