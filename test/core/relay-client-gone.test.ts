import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { type Ended, startGateway, type TestGateway } from '../support/gateway.ts'
import { type Question, routes } from '../support/questions.ts'
import { openCall, type RawConnection, rawCall } from '../support/raw-client.ts'

const aborting = await startGateway()
const draining = await startGateway({
  disconnect: 'drain',
  drain: { maxTime: 5000, maxBytes: 100_000, maxCount: 2 },
})
after(async () => {
  await aborting.close()
  await draining.close()
})

/** Generous: the rule says that the upstream is closed within 250 ms. */
const ceiling = 250

async function eventsOf({ path, ask }: Question): Promise<string[]> {
  const body = { ...ask, stream: true }
  const direct = await rawCall(aborting.upstream.port, { path: path.replace(/^\/\w+/, ''), body })
  return direct.body.toString().match(/[\s\S]*?\n\n/g) ?? []
}

/** A stream under way that has brought the first `count` of these events and goes on when told. */
async function streamed(
  { upstream, port }: TestGateway,
  { path, ask }: Question,
  { events, count, open = false }: { events: readonly string[]; count: number; open?: boolean },
) {
  const go = Promise.withResolvers<void>()
  const at = upstream.requests.length
  async function* chunks() {
    if (count > 0) yield events.slice(0, count).join('')
    await go.promise
    if (count < events.length) yield events.slice(count).join('')
  }
  upstream.next({ raw: chunks(), open })
  const call = openCall(port, { path, body: { ...ask, stream: true }, keep: true })
  const request = await upstream.request(at)
  const begun = events.slice(0, count).join('')
  // Without a byte of the body its head is enough.
  await call.until((body) => body.toString() === begun)
  return { call, request, goOn: () => go.resolve() }
}

async function leave({ socket }: RawConnection): Promise<void> {
  socket.destroy()
  await once(socket, 'close')
}

const cases = []
for (const [name, question] of Object.entries(routes)) {
  cases.push({ name, question, events: await eventsOf(question) })
}

for (const { name, question, events } of cases) {
  const counts = [0, 1, events.length >> 1, events.length - (name === 'chat' ? 2 : 1)]
  for (const count of counts) {
    test(`${name}: a client that leaves after ${count} of ${events.length} events ends the upstream’s reply`, async () => {
      const nth = await endedSoFar(aborting)
      const { call, request } = await streamed(aborting, question, { events, count })
      const start = performance.now()
      await leave(call)
      assert.equal(await request.ended, 'gone')
      assert.ok(performance.now() - start < ceiling)
      const stored = await aborting.ended(nth)
      assert.equal(stored.end.outcome, 'client_gone')
      assert.equal(stored.end.drained, false)
      assert.equal(stored.end.responseBytes, Buffer.byteLength(events.slice(0, count).join('')))
      assert.equal(stored.userPrompts.length, 1)
      if (name === 'messages' && count > 0) assert.ok(inputTokens(stored) > 0)
    })
  }

  test(`${name}: a client that closes right at the last event has had it all`, async () => {
    const nth = await endedSoFar(aborting)
    const { call } = await streamed(aborting, question, {
      events,
      count: events.length,
      open: true,
    })
    await leave(call)
    const stored = await aborting.ended(nth)
    assert.equal(stored.end.outcome, 'completed')
    if (name !== 'chat') assert.ok(inputTokens(stored) > 0)
    assert.equal(stored.toolUsages.length, 1)
  })

  test(`${name}: a client that leaves while headers are awaited ends the upstream’s request`, async () => {
    const { upstream, port } = aborting
    const nth = await endedSoFar(aborting)
    const at = upstream.requests.length
    upstream.next({ stall: true })
    const call = openCall(port, { path: question.path, body: question.ask })
    const request = await upstream.request(at)
    const start = performance.now()
    await leave(call)
    assert.equal(await request.ended, 'gone')
    await request.closed
    assert.ok(performance.now() - start < ceiling)
    const { end } = await aborting.ended(nth)
    assert.deepEqual([end.outcome, end.httpStatus], ['client_gone', null])
  })

  test(`${name}: with drain, a reply is read to its end for the record`, async () => {
    const nth = await endedSoFar(draining)
    const count = events.length >> 1
    const { call, request, goOn } = await streamed(draining, question, { events, count })
    await leave(call)
    goOn()
    assert.equal(await request.ended, 'sent')
    const stored = await draining.ended(nth)
    assert.deepEqual([stored.end.outcome, stored.end.drained], ['client_gone', true])
    if (name !== 'chat') assert.ok(inputTokens(stored) > 0)
    assert.equal(stored.toolUsages.length, 1)
    assert.equal(stored.end.responseBytes, Buffer.byteLength(events.join('')))
  })
}

test('with drain, a blocking reply that was under way is read to its end', async () => {
  const { upstream, port } = draining
  const { path, ask } = routes.messages
  const go = Promise.withResolvers<void>()
  const nth = await endedSoFar(draining)
  const whole = (await rawCall(upstream.port, { path: '/v1/messages', body: ask })).body
  async function* halves() {
    yield whole.subarray(0, 50)
    await go.promise
    yield whole.subarray(50)
  }
  upstream.next({ raw: halves() })
  const call = openCall(port, { path, body: ask, keep: true })
  await call.until((body) => body.length === 50)
  await leave(call)
  go.resolve()
  const stored = await draining.ended(nth)
  assert.deepEqual([stored.end.outcome, stored.end.drained], ['client_gone', true])
  assert.ok(inputTokens(stored) > 0)
})

test('a drain ends at its bound of bytes', async () => {
  const { path, ask } = routes.messages
  const nth = await endedSoFar(draining)
  const { upstream, port } = draining
  const at = upstream.requests.length
  upstream.next({ fill: { events: 10_000, bytes: 1000 }, delay: 0 })
  const call = openCall(port, { path, body: { ...ask, stream: true }, keep: true })
  await call.until((body) => body.length > 1000)
  await leave(call)
  assert.equal(await (await upstream.request(at)).ended, 'gone')
  const { end } = await draining.ended(nth)
  assert.deepEqual([end.outcome, end.drained], ['client_gone', false])
})

test('only so many drains run at once, and each for so long', async () => {
  const bounded = await startGateway({ disconnect: 'drain', drain: { maxTime: 300, maxCount: 1 } })
  try {
    const question = routes.messages
    const events = await eventsOf(question)
    const first = await streamed(bounded, question, { events, count: 2 })
    const second = await streamed(bounded, question, { events, count: 2 })
    const start = performance.now()
    await leave(first.call)
    // The gateway has to have seen the first one go.
    await new Promise((resolve) => setTimeout(resolve, 20))
    await leave(second.call)
    await second.request.ended
    assert.ok(performance.now() - start < ceiling, 'the second is dropped at once')
    await first.request.ended
    assert.ok(performance.now() - start >= 290, 'the first after its time')
    for (const nth of [0, 1]) {
      const { end } = await bounded.ended(nth)
      assert.deepEqual([end.outcome, end.drained], ['client_gone', false])
    }
  } finally {
    await bounded.close()
  }
})

test('a client that leaves amid its own request body leaves no trace', async () => {
  const before = (await aborting.interceptions()).length
  const refused = aborting.gateway.diagnostics.total('refused')
  const { path } = routes.messages
  const headers = ['content-type', 'application/json', 'content-length', '1000']
  const call = openCall(aborting.port, { path, body: '{"model":', headers, keep: true })
  await once(call.socket, 'connect')
  await leave(call)
  await rawCall(aborting.port, { path: '/anthropic/nowhere', method: 'GET' })
  assert.equal((await aborting.interceptions()).length, before)
  assert.equal(aborting.gateway.diagnostics.total('refused'), refused + 1)
})

/** All that began before will have ended before the next one does. */
async function endedSoFar(gateway: TestGateway): Promise<number> {
  return (await gateway.interceptions()).length
}

function inputTokens({ tokenUsages }: Ended): number {
  return tokenUsages[0]?.inputTokens ?? 0
}
