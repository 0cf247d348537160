import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { GatewayOptions } from '../src/core/gateway-options.ts'
import type { Plugin } from '../src/core/plugin.ts'
import type { Reply } from '../src/simulator/server.ts'
import { startGateway } from './support/gateway.ts'
import { mcpServer, type TestMcpOptions } from './support/mcp-server.ts'
import { routes } from './support/questions.ts'
import { openCall, rawCall } from './support/raw-client.ts'

const usage = { total: 100, cacheRead: 10, cacheWrite: 0, output: 7, reasoning: 0 }
const says = (text: string, ...tools: string[]): Reply => ({
  answer: { text, usage, calls: tools.map((name) => ({ name, input: {} })) },
})
const ours = 'bmcp_one_echo'

async function started(
  t: { after(fn: () => unknown): void },
  options: Partial<GatewayOptions> = {},
  mcp: TestMcpOptions = {},
) {
  const server = await mcpServer(mcp)
  const gateway = await startGateway({ mcp: { servers: { one: { url: server.url } } }, ...options })
  t.after(() => Promise.all([gateway.close(), server.close()]))
  return { gateway, server }
}

for (const [format, { path, ask }] of Object.entries(routes)) {
  for (const stream of [true, false]) {
    const way = `${format}, ${stream ? 'streamed' : 'blocking'}`
    const options = format === 'chat' && stream && { stream_options: { include_usage: true } }
    const body = { ...ask, stream, ...options }

    for (const [status, errorType] of [
      [429, 'rate_limited'],
      [500, 'server_error'],
    ] as const) {
      test(`${way}: ${status} in the second round is the client’s, and the first round’s records stay`, async (t) => {
        const { gateway } = await started(t)
        gateway.upstream.next(says('one', ours), { status })
        const answer = await rawCall(gateway.port, { path, body })
        assert.equal(answer.status, stream ? 200 : status)
        assert.equal(answer.end, 'whole')
        assert.match(answer.body.toString().slice(-300), /"error"|"message"/)
        const { end, tokenUsages, toolUsages, userPrompts } = await gateway.ended(0)
        assert.deepEqual([end.outcome, end.errorType], ['failed', errorType])
        assert.equal(tokenUsages.length, 1)
        assert.equal(userPrompts.length, 1)
        assert.deepEqual(
          toolUsages.map(({ injected, invocationError }) => [injected, invocationError]),
          [[true, null]],
        )
        assert.equal(gateway.upstream.requests.length, 2, 'nothing is tried again')
      })
    }

    test(`${way}: a second round that is cut looks cut`, async (t) => {
      const { gateway } = await started(t)
      gateway.upstream.next(says('one', ours), { ...says('two'), cut: stream ? 3 : 1 })
      const answer = await rawCall(gateway.port, { path, body })
      const { end, tokenUsages, toolUsages } = await gateway.ended(0)
      if (stream) assert.ok(answer.end !== 'whole', answer.end)
      else assert.match(`${answer.status} ${answer.body}`, /^502 .*broke off/)
      assert.equal(end.outcome, 'upstream_cut')
      assert.ok(tokenUsages.length >= 1)
      assert.equal(toolUsages.length, 1)
    })

    test(`${way}: a shutdown amid a tool ends the reply, its call cancelled`, async (t) => {
      const { gateway, server } = await started(t, {}, { call: () => undefined })
      gateway.upstream.next(says('one', ours))
      const called = server.heard('tools/call')
      const cancelled = server.heard('notifications/cancelled')
      const call = openCall(gateway.port, { path, body })
      await called
      const drained = gateway.gateway.drain(10)
      await cancelled
      await drained
      const answer = await call.answer
      assert.ok(
        stream ? answer.end !== 'whole' : answer.status === 503,
        `${answer.status} ${answer.end}`,
      )
      const { end, toolUsages, tokenUsages } = await gateway.ended(0)
      assert.equal(end.outcome, 'aborted')
      assert.equal(toolUsages.length, 1)
      assert.match(toolUsages[0]?.invocationError ?? '', /./)
      assert.equal(tokenUsages.length, 1)
    })

    test(`${way}: a graceful drain waits for tool and answer`, async (t) => {
      const held = Promise.withResolvers<void>()
      const { gateway, server } = await started(
        t,
        {},
        {
          call: ({ response }) => void held.promise.then(() => response.destroy()),
        },
      )
      gateway.upstream.next(says('one', ours), says('two'))
      const called = server.heard('tools/call')
      const call = openCall(gateway.port, { path, body })
      await called
      const drained = gateway.gateway.drain(30_000)
      held.resolve()
      assert.equal((await call.answer).status, 200)
      await drained
      const { end, toolUsages } = await gateway.ended(0)
      assert.equal(end.outcome, 'completed')
      assert.match(toolUsages[0]?.invocationError ?? '', /./)
    })

    for (const disconnect of ['abort', 'drain'] as const) {
      test(`${way}: a client that leaves before the second round’s headers (${disconnect})`, async (t) => {
        const { gateway } = await started(t, { disconnect })
        const held = Promise.withResolvers<void>()
        t.after(() => held.resolve())
        gateway.upstream.next(says('one', ours), async () => {
          await held.promise
          return says('two')
        })
        const connected = once(gateway.server, 'connection') as Promise<[Socket]>
        const call = openCall(gateway.port, { path, body })
        const [socket] = await connected
        const { ended } = await gateway.upstream.request(1)
        call.socket.destroy()
        if (!socket.closed) await once(socket, 'close')
        // Only a stream that has begun is read on.
        const drains = disconnect === 'drain' && stream
        if (drains) held.resolve()
        assert.equal(await ended, drains ? 'sent' : 'gone')
        const { end, toolUsages, tokenUsages, userPrompts } = await gateway.ended(0)
        assert.equal(end.outcome, 'client_gone')
        assert.equal(toolUsages.length, 1)
        assert.equal(tokenUsages.length, drains ? 2 : 1)
        assert.equal(userPrompts.length, 1)
        assert.equal(end.drained, drains)
      })
    }

    test(`${way}: the reply’s end waits for the records of all rounds`, async (t) => {
      const kept: string[] = []
      const gate = Promise.withResolvers<void>()
      const store: Plugin = {
        name: 'store',
        durable: true,
        record: async (records) => {
          if (records.some(({ type }) => type !== 'interception_start')) await gate.promise
          for (const { type } of records) kept.push(type)
        },
      }
      const { gateway } = await started(t, { plugins: [store], commitWait: 60_000 })
      gateway.upstream.next(says('one', ours, ours), says('two', ours), says('three'))
      let over = false
      const call = openCall(gateway.port, { path, body, keep: true })
      void call.answer.then(() => {
        over = true
      })
      await (await gateway.upstream.request(2)).ended
      if (stream) await call.until((bytes) => bytes.includes('three'))
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      assert.equal(over, false)
      gate.resolve()
      await call.answer
      const count = (type: string) => kept.filter((each) => each === type).length
      assert.deepEqual(
        [
          count('tool_usage'),
          count('token_usage'),
          count('prompt_usage'),
          count('interception_end'),
        ],
        [3, 3, 1, 1],
      )
    })
  }
}
