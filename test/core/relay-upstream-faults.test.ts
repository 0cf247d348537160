import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { openCall, rawCall, requestBytes } from '../support/raw-client.ts'
import { headerOf } from '../support/raw-http.ts'

const gateway = await startGateway({ upstreamIdleTimeout: 300, upstreamHeadersTimeout: 300 })
after(() => gateway.close())
const { upstream, port } = gateway

for (const [name, { path, ask }] of Object.entries(routes)) {
  const body = { ...ask, stream: true }

  for (const how of ['reset', 'fin'] as const) {
    test(`${name}: a stream that breaks off (${how}) looks cut to the client, too`, async () => {
      upstream.next({ cut: 3, how })
      const answer = await rawCall(port, { path, body })
      assert.equal(answer.end, 'short')
      assert.ok(answer.body.length > 0)
      assert.doesNotMatch(
        answer.body.toString(),
        /DONE|message_stop|response\.completed|event: error/,
      )
      const stored = await gateway.ended(idOf(answer.headers))
      assert.equal(stored.end.outcome, 'upstream_cut')
      assert.equal(stored.end.responseBytes, answer.body.length)
      if (name === 'messages') assert.equal(stored.tokenUsages.length, 1)
    })
  }

  test(`${name}: a reply of known length that breaks off is short for the client, too`, async () => {
    upstream.next({ cut: 1 })
    const answer = await rawCall(port, { path, body: ask })
    assert.equal(answer.end, 'short')
    assert.notEqual(headerOf(answer.headers, 'content-length'), undefined)
    assert.equal((await gateway.ended(idOf(answer.headers))).end.outcome, 'upstream_cut')
  })

  test(`${name}: to a client of HTTP/1.0 a cut looks like a reset`, async () => {
    upstream.next({ cut: 3 })
    const answer = await rawCall(port, { path, body, version: '1.0' })
    assert.equal(answer.end, 'reset')
    upstream.next({})
    const whole = await rawCall(port, { path, body, version: '1.0' })
    assert.equal(whole.end, 'until-close')
  })

  test(`${name}: a clean end before the format’s own is a clean end, and on record as a cut`, async () => {
    upstream.next({ cut: 3, how: 'end' })
    const answer = await rawCall(port, { path, body })
    assert.equal(answer.end, 'whole')
    assert.equal((await gateway.ended(idOf(answer.headers))).end.outcome, 'upstream_cut')
  })

  test(`${name}: what comes after the last event passes, and is not read`, async () => {
    upstream.next({ after: 5 })
    const answer = await rawCall(port, { path, body })
    assert.equal(answer.end, 'whole')
    const direct = await rawCall(upstream.port, { path: path.replace(/^\/\w+/, ''), body })
    assert.ok(answer.body.length > direct.body.length)
    const stored = await gateway.ended(idOf(answer.headers))
    assert.equal(stored.end.outcome, 'completed')
    assert.equal(stored.toolUsages.length, 1)
  })

  test(`${name}: an error inside the stream passes, and is the outcome`, async () => {
    upstream.next({ error: 3 })
    const answer = await rawCall(port, { path, body })
    assert.match(answer.body.toString(), /error/)
    const { end } = await gateway.ended(idOf(answer.headers))
    assert.equal(end.outcome, 'failed')
    assert.ok(
      end.errorType === 'overloaded' || end.errorType === 'server_error',
      `${end.errorType}`,
    )
    assert.ok(end.errorMessage)
  })

  test(`${name}: an upstream that falls silent is cut off, and no event is invented`, async () => {
    upstream.next({ stall: 3 })
    const at = upstream.requests.length
    const answer = await rawCall(port, { path, body })
    assert.equal(answer.end, 'short')
    assert.doesNotMatch(answer.body.toString(), /event: error|"error":{/)
    const { end } = await gateway.ended(idOf(answer.headers))
    assert.deepEqual([end.outcome, end.errorType, end.httpStatus], ['timed_out', 'timeout', 200])
    assert.equal(await upstream.requests[at]?.ended, 'gone')
  })

  test(`${name}: an upstream that never answers is a 504 in the route’s shape`, async () => {
    upstream.next({ stall: true })
    const at = upstream.requests.length
    const answer = await rawCall(port, { path, body })
    assert.equal(answer.status, 504)
    assertShape(name, answer.body)
    const { end } = await gateway.ended(idOf(answer.headers))
    assert.deepEqual([end.outcome, end.errorType, end.httpStatus], ['timed_out', 'timeout', 504])
    assert.equal(await upstream.requests[at]?.ended, 'gone')
  })

  for (const cut of [true, undefined] as const) {
    test(`${name}: an upstream that ${cut ? 'hangs up' : 'speaks no HTTP'} is a 502 in the route’s shape`, async () => {
      upstream.next(cut ? { cut } : { wire: 'SSH-2.0-OpenSSH_9.2\r\n' })
      const answer = await rawCall(port, { path, body })
      assert.equal(answer.status, 502)
      assertShape(name, answer.body)
      const { end } = await gateway.ended(idOf(answer.headers))
      assert.deepEqual([end.outcome, end.errorType, end.httpStatus], ['failed', 'unreachable', 502])
    })
  }

  for (const encode of ['gzip', 'deflate', 'br', 'zstd'] as const) {
    for (const stream of [true, false]) {
      test(`${name}${stream ? ' streamed' : ''}: a reply in ${encode} passes as it is, and is read`, async () => {
        const plain = await rawCall(port, { path, body: { ...ask, stream } })
        upstream.next({ encode })
        const answer = await rawCall(port, { path, body: { ...ask, stream } })
        const direct = await rawCall(upstream.port, {
          path: path.replace(/^\/\w+/, ''),
          body: { ...ask, stream },
          headers: ['x-simulate', `encode=${encode}`],
        })
        assert.deepEqual(answer.body, direct.body)
        assert.equal(headerOf(answer.headers, 'content-encoding'), encode)
        const [want, got] = await Promise.all(
          [plain, answer].map(({ headers }) => gateway.ended(idOf(headers))),
        )
        assert.equal(got?.end.outcome, 'completed')
        assert.equal(got?.end.observed, 'full')
        assert.deepEqual(
          got?.tokenUsages.map(({ outputTokens }) => outputTokens),
          want?.tokenUsages.map(({ outputTokens }) => outputTokens),
        )
        assert.deepEqual(
          got?.toolUsages.map(({ input }) => input),
          want?.toolUsages.map(({ input }) => input),
        )
        assert.equal(got?.modelThoughts.length, want?.modelThoughts.length)
      })
    }
  }
}

test('Chat without [DONE] is whole where each choice has its finish_reason', async () => {
  const { path, ask } = routes.chat
  const chunk = (finish: string | null) =>
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: finish }] })}\n\n`
  const outcomes: (string | undefined)[] = []
  for (const finish of ['stop', null]) {
    upstream.next({ raw: [chunk(null), chunk(finish)] })
    const answer = await rawCall(port, { path, body: { ...ask, stream: true } })
    assert.equal(answer.end, 'whole')
    outcomes.push((await gateway.ended(idOf(answer.headers))).end.outcome)
  }
  assert.deepEqual(outcomes, ['completed', 'upstream_cut'])
})

test('an upstream that goes on for ever after the last event is dropped after 5 s, and the reply ends well', async () => {
  const { path, ask } = routes.messages
  const at = upstream.requests.length
  upstream.next({ after: Number.POSITIVE_INFINITY, delay: 5 })
  const start = performance.now()
  const answer = await rawCall(port, { path, body: { ...ask, stream: true } })
  const took = performance.now() - start
  assert.equal(answer.end, 'whole')
  assert.ok(took > 4500 && took < 9000, `${took} ms`)
  assert.equal(await upstream.requests[at]?.ended, 'gone')
  assert.equal((await gateway.ended(idOf(answer.headers))).end.outcome, 'completed')
})

test('a reply that says a length and never reaches it is cut after its last event, not left hanging', async () => {
  const { path, ask } = routes.messages
  const text = 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
  const headers = ['content-type', 'text/event-stream', 'content-length', String(text.length + 9)]
  upstream.next({ raw: [text], headers, open: true })
  const answer = await rawCall(port, { path, body: { ...ask, stream: true }, keep: true })
  assert.equal(answer.end, 'short')
  assert.equal((await gateway.ended(idOf(answer.headers))).end.outcome, 'completed')
})

for (const [what, encoding, raw] of [
  ['breaks off amid the encoding', 'gzip', Buffer.from('1f8b0800000000000003abe6', 'hex')],
  ['is not in the encoding it names', 'gzip', Buffer.from('{"type":"message"}')],
  ['is in an encoding nobody knows', 'constructor', Buffer.from('{"type":"message"}')],
  ['is in two encodings', 'gzip, br', Buffer.from('{"type":"message"}')],
] as const) {
  for (const type of ['application/json', 'text/event-stream']) {
    test(`a ${type} reply that ${what} passes, observed in part`, async () => {
      const { path, ask } = routes.messages
      upstream.next({ raw: [raw], headers: ['content-type', type, 'content-encoding', encoding] })
      const answer = await rawCall(port, { path, body: ask })
      assert.deepEqual([answer.status, answer.end], [200, 'whole'])
      assert.deepEqual(answer.body, raw)
      const { end } = await gateway.ended(idOf(answer.headers))
      assert.deepEqual([end.outcome, end.observed], ['completed', 'partial'])
    })
  }
}

test('a last event too large to be read does not make a reply a cut one', async () => {
  const { path, ask } = routes.responses
  const large = `event: response.completed\ndata: {"type":"response.completed","x":"${'x'.repeat(9 * 1024 * 1024)}"}\n\n`
  upstream.next({ raw: ['event: response.created\ndata: {}\n\n', large] })
  const answer = await rawCall(port, { path, body: { ...ask, stream: true } })
  assert.equal(answer.end, 'whole')
  const { end } = await gateway.ended(idOf(answer.headers))
  assert.deepEqual([end.outcome, end.observed], ['completed', 'partial'])
})

test('a bomb in a reply passes while observers stand down', async () => {
  const { path, ask } = routes.messages
  const bomb = zstdCompressSync(Buffer.alloc(70 * 1024 * 1024, 32))
  const headers = ['content-type', 'application/json', 'content-encoding', 'zstd']
  upstream.next({ raw: bomb, headers })
  const answer = await rawCall(port, { path, body: ask })
  assert.equal(answer.end, 'whole')
  assert.equal((await gateway.ended(idOf(answer.headers))).end.observed, 'partial')
})

test('a head that Node would not send is a 502, and an end on record', async () => {
  for (const head of [
    { status: 42, headers: [] },
    { status: 200, headers: ['bad name', '1'] },
  ]) {
    const body = Readable.from(['never read'])
    const odd = await startGateway({
      layers: [() => async () => ({ ...head, statusText: '', body })],
    })
    const { path, ask } = routes.chat
    const answer = await rawCall(odd.port, { path, body: ask })
    assert.equal(answer.status, 502)
    assertShape('chat', answer.body)
    assert.equal((await odd.ended(idOf(answer.headers))).end.outcome, 'failed')
    assert.deepEqual([odd.gateway.openRequests, body.destroyed], [0, true])
    const passed = await rawCall(odd.port, { path: '/openai/v1/models', method: 'GET' })
    assert.equal(passed.status, 502)
    await odd.close()
  }
})

test('a reason phrase that Node would not send is no reason to fail', async () => {
  const { path, ask } = routes.messages
  upstream.next({ wire: 'HTTP/1.1 200 O\x01K\r\ncontent-length: 2\r\n\r\n{}' })
  const answer = await rawCall(port, { path, body: ask })
  assert.deepEqual([answer.status, answer.statusText, answer.body.toString()], [200, '', '{}'])
  await gateway.ended(idOf(answer.headers))
  assert.equal(gateway.gateway.openRequests, 0)
})

test('a cut is a cut for a client on a Unix socket, too', async () => {
  const path = join(tmpdir(), `sluice-test-${process.pid}.sock`)
  const listener = gateway.server.listeners('request')[0] as Parameters<typeof createServer>[1]
  const server = createServer(listener as never)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  upstream.next({ cut: 3 })
  const socket = createConnection(path)
  const text = JSON.stringify({ ...routes.messages.ask, stream: true })
  socket.write(
    `POST ${routes.messages.path} HTTP/1.0\r\nhost: x\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  )
  socket.resume().on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  await new Promise((resolve) => server.close(resolve))
  assert.equal(gateway.gateway.openRequests, 0)
})

test('a reply that waits behind another on its connection is cut when its turn comes', async () => {
  const { path, ask } = routes.messages
  const first = Promise.withResolvers<void>()
  async function* slow() {
    yield 'event: ping\ndata: {}\n\n'
    await first.promise
    yield 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
  }
  upstream.next({ raw: slow() })
  const body = { ...ask, stream: true }
  const at = (await gateway.interceptions()).length
  const socket = createConnection(port, '127.0.0.1')
  let text = ''
  socket.on('data', (part) => {
    text += part
  })
  const call = requestBytes({ path, body, keep: true })
  socket.write(call)
  await once(socket, 'data')
  upstream.next({ cut: 2 })
  socket.write(call)
  assert.equal((await gateway.ended(at)).end.outcome, 'upstream_cut')
  const closed = once(socket, 'close')
  first.resolve()
  await closed
  assert.match(text, /message_stop/)
})

test('silence is not counted while the client holds us back', async () => {
  const { path, ask } = routes.messages
  upstream.next({ fill: { events: 3000, bytes: 10_000 } })
  const call = openCall(port, { path, body: { ...ask, stream: true } })
  await call.until((body) => body.length > 1000)
  call.socket.pause()
  // Three times the upstream's idle time-out.
  await new Promise((resolve) => setTimeout(resolve, 900))
  call.socket.resume()
  const answer = await call.answer
  assert.equal(answer.end, 'whole')
  assert.equal((await gateway.ended(idOf(answer.headers))).end.outcome, 'completed')
})

function assertShape(name: string, body: Buffer): void {
  const { type, error } = JSON.parse(body.toString())
  assert.equal(typeof error.message, 'string')
  assert.equal(typeof error.type, 'string')
  if (name === 'messages') assert.equal(type, 'error')
  else assert.ok('code' in error && 'param' in error)
}

function idOf(headers: readonly string[]): string {
  return headerOf(headers, 'x-sluice-interception-id') ?? ''
}
