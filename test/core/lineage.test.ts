import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../src/core/json.ts'
import { startGateway } from '../support/gateway.ts'
import { type Question, routes } from '../support/questions.ts'

/** The request that brings the result of the call that was made. */
const answered: Readonly<
  Record<keyof typeof routes, (question: Question, call: string) => JsonObject>
> = {
  messages: ({ ask }, id) => ({
    ...ask,
    messages: [
      ...(ask.messages as unknown[]),
      { role: 'assistant', content: [{ type: 'tool_use', id, name: 'get_weather', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'rain' }] },
    ],
  }),
  chat: ({ ask }, id) => {
    const call = { id, type: 'function', function: { name: 'get_weather', arguments: '{}' } }
    return {
      ...ask,
      messages: [
        ...(ask.messages as unknown[]),
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: id, content: 'rain' },
      ],
    }
  },
  responses: ({ ask }, id) => ({
    ...ask,
    input: [
      { role: 'user', content: ask.input },
      { type: 'function_call', call_id: id, name: 'get_weather', arguments: '{}' },
      { type: 'function_call_output', call_id: id, output: 'rain' },
    ],
  }),
}

for (const format of ['messages', 'chat', 'responses'] as const) {
  for (const stream of [true, false]) {
    test(`${format}, ${stream ? 'streamed' : 'blocking'}: a tool's result joins the thread of its call, of the same initiator only`, async (t) => {
      const gateway = await startGateway({ initiator: (ctx) => ctx.get('x-user') })
      t.after(() => gateway.close())
      const question = routes[format]
      const post = async (body: JsonObject, user: string) => {
        const reply = await fetch(`${gateway.url}${question.path}`, {
          method: 'POST',
          headers: { 'x-user': user, 'x-api-key': 'sk-test', authorization: 'Bearer sk-test' },
          body: JSON.stringify({ ...body, stream }),
        })
        await reply.bytes()
        return gateway.ended(reply.headers.get('x-sluice-interception-id') ?? '')
      }
      const root = await post(question.ask, 'ann')
      const call = root.toolUsages[0]?.toolCallId ?? ''
      const child = await post(answered[format](question, call), 'ann')
      const stranger = await post(answered[format](question, call), 'bob')

      assert.equal(root.start.threadRootId, null)
      assert.equal(child.start.correlatingToolCallId, call)
      assert.deepEqual([child.start.threadRootId, child.start.threadParentId], [root.id, root.id])
      assert.equal(child.start.sessionId, root.start.sessionId)
      assert.equal(child.toolResults[0]?.toolCallId, call)
      assert.deepEqual([stranger.start.threadRootId, stranger.start.sessionId], [null, stranger.id])
    })
  }
}
