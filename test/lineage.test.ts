import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { StoredInterception } from '../src/core/recorder.ts'
import { capturers } from '../src/plugins/capturers.ts'
import {
  type AskOptions,
  ask,
  type FormatPath,
  type TestGateway,
  testGateway,
} from './support/harm.ts'

let gateway: TestGateway
before(async () => {
  gateway = await testGateway(capturers())
})
after(() => gateway.close())

async function kept(options: AskOptions): Promise<StoredInterception> {
  const { id } = await ask(gateway.url, options)
  return gateway.kept(id)
}

/** The request that brings a tool's result back. */
function answering(format: FormatPath, callId: string): object {
  const said = 'What is the time?'
  if (format === 'openai_responses') {
    const call = { type: 'function_call', call_id: callId, name: 'clock', arguments: '{}' }
    const output = { type: 'function_call_output', call_id: callId, output: 'noon' }
    return { model: 'm', stream: true, input: [{ role: 'user', content: said }, call, output] }
  }
  if (format === 'openai_chat') {
    const call = { id: callId, type: 'function', function: { name: 'clock', arguments: '{}' } }
    const messages = [
      { role: 'user', content: said },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: callId, content: 'noon' },
    ]
    return { model: 'm', stream: true, messages }
  }
  const messages = [
    { role: 'user', content: said },
    { role: 'assistant', content: [{ type: 'tool_use', id: callId, name: 'clock', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: callId, content: 'noon' }] },
  ]
  return { model: 'm', max_tokens: 1000, stream: true, messages }
}

for (const format of ['anthropic_messages', 'openai_chat', 'openai_responses'] as const) {
  test(`${format}: the request that answers a tool call goes on in its thread and session`, async () => {
    const headers = { 'x-user': `thread ${format}` }
    const first = await kept({ format, headers })
    const callId = first.toolUsages.at(-1)?.toolCallId ?? ''
    notEqual(callId, '')
    const second = await kept({ format, headers, body: answering(format, callId) })
    equal(first.start.threadRootId, null)
    equal(second.start.correlatingToolCallId, callId)
    equal(second.start.threadParentId, first.id)
    equal(second.start.threadRootId, first.id)
    equal(
      second.start.sessionId,
      first.id,
      'without a session of the client its root is the session',
    )
    equal(second.userPrompts.length, 0)

    const nextCall = second.toolUsages.at(-1)?.toolCallId ?? ''
    const third = await kept({ format, headers, body: answering(format, nextCall) })
    equal(third.start.threadParentId, second.id)
    equal(third.start.threadRootId, first.id)
    equal(third.start.sessionId, first.id)
  })
}

test('another initiator does not get into the thread, whatever call it names', async () => {
  const first = await kept({ headers: { 'x-user': 'alice' } })
  const callId = first.toolUsages.at(-1)?.toolCallId ?? ''
  const body = answering('anthropic_messages', callId)
  const { id, start } = await kept({ headers: { 'x-user': 'mallory' }, body })
  equal(start.correlatingToolCallId, callId)
  deepEqual([start.threadParentId, start.threadRootId], [null, null])
  equal(start.sessionId, id)
})

test("the client's own session id beats the thread's", async () => {
  const headers = { 'x-user': 'bob', 'x-session-id': 'bobs' }
  const { start } = await kept({ headers })
  deepEqual([start.clientSessionId, start.sessionId], ['bobs', 'bobs'])
})

test('a sub-agent hangs under the newest call of its session', async () => {
  const session = {
    'x-user': 'carol',
    'user-agent': 'claude-cli/2.1.0',
    'x-claude-code-session-id': 's-1',
  }
  const main = await kept({ headers: session })
  const agent = { ...session, 'x-claude-code-agent-id': 'agent-7' }
  const sub = await kept({ headers: agent })
  equal(sub.start.agentId, 'agent-7')
  equal(sub.start.purpose, 'subagent')
  equal(sub.start.threadParentId, main.id)
  equal(sub.start.threadRootId, main.id)
  equal(sub.start.sessionId, main.start.sessionId)
})

test('a sub-agent whose client names no session hangs under no stranger', async () => {
  const headers = { 'x-user': 'dave' }
  await kept({ headers })
  const { start } = await kept({ headers: { ...headers, 'x-claude-code-agent-id': 'agent-8' } })
  equal(start.threadParentId, null)
})

test('a request that repeats a failed one is its retry: same thread, no second prompt', async () => {
  const headers = { 'x-user': 'erin', 'x-session-id': 'erins' }
  gateway.upstream.next({ status: 529 })
  const first = await kept({ headers })
  equal(first.end?.outcome, 'failed')
  gateway.upstream.next({ cut: 3 })
  const second = await kept({ headers })
  equal(second.end?.outcome, 'upstream_cut')
  const third = await kept({ headers })

  deepEqual([first.start.retryOf, first.userPrompts.length], [null, 1])
  deepEqual([second.start.retryOf, second.start.threadRootId], [first.id, first.id])
  ok(third.start.retryOf === second.id || third.start.retryOf === first.id)
  equal(third.start.threadRootId, first.id)
  deepEqual([second.userPrompts.length, third.userPrompts.length], [0, 0])

  const again = await kept({ headers })
  equal(again.start.retryOf, null, 'after a success the same words are a new question')
  equal(again.userPrompts.length, 1)
})

test('no retry: another session, another initiator, another body, or no session at all', async () => {
  const headers = { 'x-user': 'frank', 'x-session-id': 'franks' }
  gateway.upstream.next({ status: 529 })
  await kept({ headers })
  const others = [
    { headers: { ...headers, 'x-session-id': 'another' } },
    { headers: { ...headers, 'x-user': 'grace' } },
    { headers, stream: false },
  ]
  for (const options of others) equal((await kept(options)).start.retryOf, null)

  const sessionless = { 'x-user': 'heidi' }
  gateway.upstream.next({ status: 529 })
  await kept({ headers: sessionless })
  const { start, userPrompts } = await kept({ headers: sessionless })
  deepEqual([start.retryOf, userPrompts.length], [null, 1])
})
