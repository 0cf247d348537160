import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { after, test } from 'node:test'
import { request } from 'undici'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { type RawAnswer, rawCall, requestBytes } from '../support/raw-client.ts'
import { headerOf, portOf } from '../support/raw-http.ts'

const gateway = await startGateway({
  maxBodySize: 100_000,
  identityTimeout: 100,
  initiator: (ctx) => {
    const who = ctx.get('x-who')
    if (who === 'nobody') return null
    if (who === 'thrower') throw new Error('a secret of the host')
    if (who === 'slow') return new Promise(() => {})
    return 'tester'
  },
})
after(() => gateway.close())
const { port, upstream } = gateway
const { diagnostics } = gateway.gateway
const names = Object.keys(routes) as (keyof typeof routes)[]

/** Refused in the route's own shape, nothing sent upstream, nothing recorded. */
async function refused(
  name: keyof typeof routes,
  call: { body?: string | Uint8Array | object; headers?: string[]; method?: string; path?: string },
): Promise<RawAnswer> {
  const sent = upstream.requests.length
  const recorded = (await gateway.interceptions()).length
  const answer = await rawCall(port, { path: routes[name].path, ...call })
  assert.equal(upstream.requests.length, sent)
  assert.equal((await gateway.interceptions()).length, recorded)
  assert.notEqual(answer.status, 500)
  assertShape(name, answer)
  return answer
}

function assertShape(name: string, { status, headers, body }: RawAnswer): void {
  assert.equal(headerOf(headers, 'content-type'), 'application/json')
  const { type, error } = JSON.parse(body.toString())
  assert.equal(typeof error.message, 'string', `${status}`)
  if (name === 'messages') assert.equal(type, 'error')
  else assert.ok('code' in error && 'param' in error)
}

for (const name of names) {
  for (const [what, body] of [
    ['nothing', ''],
    ['broken JSON', '{"model":'],
    ['text', 'hello'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['two documents', '{}{}'],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x7b])],
  ] as const) {
    test(`${name}: ${what} for a body is a 400`, async () => {
      const before = diagnostics.total('refused', { reason: 'bad_json' })
      assert.equal((await refused(name, { body })).status, 400)
      assert.equal(diagnostics.total('refused', { reason: 'bad_json' }), before + 1)
    })
  }

  test(`${name}: members of wrong types go upstream as they are, and are recorded once`, async () => {
    const bodies = [
      '{}',
      '{"model":1,"messages":"x","input":7,"stream":"yes","tools":{},"system":[null]}',
      '{"model":null,"messages":[null,1,"x",{"role":5,"content":{}},{"content":[[]]}],"input":[null,{}]}',
      '{"model":{"a":1},"stream_options":3,"messages":[{"role":"user","content":[{"type":"text"}]}]}',
      `{"model":"m","x":${'['.repeat(3000)}${']'.repeat(3000)}}`,
      '{"model":"m","__proto__":{"stream":true},"constructor":1}',
      '{"model":"\\ud800","messages":[{"role":"user","content":"\\u0000"}]}',
    ]
    for (const body of bodies) {
      const recorded = (await gateway.interceptions()).length
      const at = upstream.requests.length
      upstream.next({ raw: '{}' })
      const answer = await rawCall(port, { path: routes[name].path, body })
      assert.equal(answer.status, 200, body)
      assert.equal(upstream.requests[at]?.body.toString(), body)
      const { end } = await gateway.ended(
        headerOf(answer.headers, 'x-sluice-interception-id') ?? '',
      )
      assert.equal(end.outcome, 'completed')
      assert.equal((await gateway.interceptions()).length, recorded + 1)
    }
  })

  test(`${name}: a body over the bound is a 413, told or not`, async () => {
    const body = JSON.stringify({ model: 'x'.repeat(200_000) })
    assert.equal((await refused(name, { body })).status, 413)
    const size = body.length.toString(16)
    const chunked = `${size}\r\n${body}\r\n0\r\n\r\n`
    const headers = ['transfer-encoding', 'chunked']
    assert.equal((await refused(name, { body: chunked, headers })).status, 413)
  })

  for (const [who, status] of [
    ['nobody', 403],
    ['thrower', 403],
    ['slow', 503],
  ] as const) {
    test(`${name}: an initiator that is ${who} is a ${status}`, async () => {
      const answer = await refused(name, { body: routes[name].ask, headers: ['x-who', who] })
      assert.equal(answer.status, status)
      assert.doesNotMatch(answer.body.toString(), /a secret/)
      assert.equal(headerOf(answer.headers, 'retry-after'), status === 503 ? '1' : undefined)
    })
  }

  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    test(`${name}: ${method} is a 405 that names POST`, async () => {
      const answer = await refused(name, { method })
      assert.equal(answer.status, 405)
      assert.equal(headerOf(answer.headers, 'allow'), 'POST')
    })
  }
}

test('members of wrong types are no prompt and no model', async () => {
  const answer = await rawCall(port, {
    path: routes.messages.path,
    body: { model: 7, messages: [{ role: 'user', content: 7 }] },
  })
  assert.equal(answer.status, 400, 'the simulated provider’s own word')
  const stored = await gateway.ended(headerOf(answer.headers, 'x-sluice-interception-id') ?? '')
  assert.equal(stored.start.model, '')
  assert.deepEqual(stored.userPrompts, [])
  assert.deepEqual([stored.end.outcome, stored.end.errorType], ['failed', 'bad_request'])
})

test('duplicated headers go on as they came, and the first session header counts', async () => {
  const at = upstream.requests.length
  const twice = [
    'x-odd',
    '1',
    'X-Odd',
    '2',
    'content-type',
    'application/json',
    'accept',
    'a',
    'accept',
    'b',
  ]
  const { path, ask } = routes.messages
  const answer = await rawCall(port, { path, body: ask, headers: twice })
  assert.equal(answer.status, 200)
  const { rawHeaders = [] } = upstream.requests[at] ?? {}
  assert.deepEqual(
    rawHeaders.filter((_, index) =>
      /^(x-odd|accept)$/i.test(rawHeaders[index - (index % 2)] ?? ''),
    ),
    ['x-odd', '1', 'X-Odd', '2', 'accept', 'a', 'accept', 'b'],
  )
})

test('a client that sends on while it is refused reads why', async () => {
  const { path } = routes.messages
  for (const headers of [{ 'content-type': 'application/json' }, { 'x-who': 'nobody' }]) {
    const { statusCode, body } = await request(`${gateway.url}${path}`, {
      method: 'POST',
      headers,
      body: Buffer.alloc(50 * 1024 * 1024, 32),
    })
    assert.equal(statusCode, 'x-who' in headers ? 403 : 413)
    assert.equal(((await body.json()) as { type: string }).type, 'error')
  }
})

test('a client that says it will send too much, and waits to be asked, is told at once', async () => {
  const { path } = routes.messages
  const socket = connect(port, '127.0.0.1')
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\n\r\n{`)
  const [data] = await once(socket, 'data')
  assert.match(String(data), /^HTTP\/1.1 413/)
  socket.destroy()
})

for (const path of [
  '/anthropic',
  '/anthropic/',
  '/anthropic/v1',
  '/anthropic/v1/complete',
  '/anthropic/v1/messages/../files',
  '/anthropic/v1/messages/batches',
  '/openai/v1/files',
  '/openai/v1/messages',
  '/openai/%2e%2e/admin',
]) {
  test(`HEAD and GET ${path} are a quick 404`, async () => {
    const name = path.startsWith('/openai') ? 'chat' : 'messages'
    assert.equal((await refused(name, { path, method: 'GET' })).status, 404)
    const head = await rawCall(port, { path, method: 'HEAD' })
    assert.deepEqual([head.status, head.body.length], [404, 0])
  })
}

test('what is no provider’s path is the host’s own affair', async () => {
  for (const path of ['/', '/nobody/v1/messages', '/anthropicx', '/api/anything', '//x', '*']) {
    const answer = await rawCall(port, { path, method: path === '*' ? 'OPTIONS' : 'GET' })
    assert.equal(answer.status, 404)
    assert.notEqual(headerOf(answer.headers, 'content-type'), 'application/json')
  }
})

test('a websocket upgrade on /responses is a 426', async () => {
  const headers = ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13']
  const call = { path: routes.responses.path, method: 'GET', headers, keep: true }
  const before = diagnostics.total('refused', { reason: 'upgrade' })
  const answer = await rawCall(port, call)
  assert.equal(answer.status, 426)
  assertShape('responses', answer)
  assert.equal(diagnostics.total('refused', { reason: 'upgrade' }), before + 1)
})

test('a host with an upgrade listener asks handleUpgrade, which takes its own paths alone', async () => {
  const { createServer: createHttp } = await import('node:http')
  const taken: boolean[] = []
  const host = createHttp()
  host.on('upgrade', (incoming, socket) => {
    const took = gateway.gateway.handleUpgrade(incoming, socket, '/ai')
    taken.push(took)
    if (!took) socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
  })
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  const upgrade = async (path: string) => {
    const socket = connect((host.address() as { port: number }).port, '127.0.0.1')
    const headers = ['connection', 'Upgrade', 'upgrade', 'websocket']
    socket.write(requestBytes({ path, method: 'GET', headers, keep: true }))
    const [data] = await once(socket, 'data')
    socket.destroy()
    return String(data).slice(0, 12)
  }
  assert.equal(await upgrade('/ai/openai/v1/responses'), 'HTTP/1.1 426')
  assert.equal(await upgrade('/openai/v1/responses'), 'HTTP/1.1 101')
  assert.equal(await upgrade('/ai/chat'), 'HTTP/1.1 101')
  assert.deepEqual(taken, [true, false, false])
  host.closeAllConnections()
  host.close()
})

test('without a key, and with none allowed from clients, a request is rejected and recorded so', async () => {
  const strict = await startGateway({ allowByok: false })
  try {
    for (const name of names) {
      const { path, ask } = routes[name]
      const headers = ['x-api-key', 'sk-own', 'authorization', 'Bearer sk-own']
      const answer = await rawCall(strict.port, { path, body: ask, headers })
      assert.equal(answer.status, 403)
      assertShape(name, answer)
      const id = headerOf(answer.headers, 'x-sluice-interception-id') ?? ''
      const { end, userPrompts } = await strict.ended(id)
      assert.deepEqual([end.outcome, end.errorType, end.httpStatus], ['rejected', 'forbidden', 403])
      assert.equal(userPrompts.length, 1)
    }
    assert.equal(strict.upstream.requests.length, 0)
    const models = await rawCall(strict.port, { path: '/openai/v1/models', method: 'GET' })
    assert.equal(models.status, 403)
  } finally {
    await strict.close()
  }
})

test('an upstream that nobody listens at is a 502, in Chat’s own shape', async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const baseUrl = `http://127.0.0.1:${portOf(free)}`
  await new Promise((resolve) => free.close(resolve))
  const lost = await startGateway({ provider: { baseUrl } })
  const answer = await rawCall(lost.port, { path: routes.chat.path, body: routes.chat.ask })
  assert.equal(answer.status, 502)
  assertShape('chat', answer)
  const { end } = await lost.ended(0)
  assert.deepEqual([end.outcome, end.errorType], ['failed', 'unreachable'])
  const passed = await rawCall(lost.port, { path: '/anthropic/v1/models', method: 'GET' })
  assert.equal(passed.status, 502)
  assertShape('messages', passed)
  await lost.close()
})

test('background Responses pass untouched and unrecorded', async () => {
  const recorded = (await gateway.interceptions()).length
  const at = upstream.requests.length
  const body = { ...routes.responses.ask, background: true }
  const answer = await rawCall(port, { path: routes.responses.path, body })
  assert.equal(answer.status, 200)
  assert.equal(headerOf(answer.headers, 'x-sluice-interception-id'), undefined)
  assert.equal(upstream.requests[at]?.body.toString(), JSON.stringify(body))
  assert.equal((await gateway.interceptions()).length, recorded)
})
