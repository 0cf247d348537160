import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { startGateway } from '../support/gateway.ts'
import { openCall, type RawCall, rawCall } from '../support/raw-client.ts'
import { headerOf, listen, portOf } from '../support/raw-http.ts'

const gateway = await startGateway()
after(() => gateway.close())
const { upstream, port } = gateway

async function passed(call: RawCall) {
  const at = upstream.requests.length
  const recorded = (await gateway.interceptions()).length
  const answer = await rawCall(port, call)
  assert.equal((await gateway.interceptions()).length, recorded, 'nothing is recorded')
  assert.equal(headerOf(answer.headers, 'x-sluice-interception-id'), undefined)
  return { answer, request: await upstream.request(at) }
}

for (const [method, path, sent] of [
  ['GET', '/anthropic/v1/models', '/v1/models'],
  ['GET', '/anthropic/models/claude-x', '/v1/models/claude-x'],
  ['POST', '/anthropic/v1/messages/count_tokens?beta=true', '/v1/messages/count_tokens?beta=true'],
  ['POST', '/anthropic/api/event_logging/batch', '/api/event_logging/batch'],
  ['GET', '/openai/v1/models?limit=2&after=a%20b', '/v1/models?limit=2&after=a%20b'],
  ['POST', '/openai/embeddings', '/v1/embeddings'],
  ['GET', '/openai/v1/responses/resp_1?include[]=x', '/v1/responses/resp_1?include[]=x'],
  ['DELETE', '/openai/v1/responses/resp_1', '/v1/responses/resp_1'],
  ['POST', '/openai/v1/responses/resp_1/cancel', '/v1/responses/resp_1/cancel'],
  ['GET', '/openai/v1/responses/resp_1/input_items', '/v1/responses/resp_1/input_items'],
  ['POST', '/openai/v1/conversations', '/v1/conversations'],
  ['HEAD', '/openai/v1/models', '/v1/models'],
] as const) {
  test(`${method} ${path} goes to ${sent}, with its bytes`, async () => {
    const body = method === 'POST' ? '{ "input" : "x", "model":"m" }' : undefined
    const { request, answer } = await passed({ method, path, ...(body && { body }) })
    assert.equal(request.method, method)
    assert.equal(request.url, sent)
    assert.equal(request.body.toString(), body ?? '')
    assert.equal(answer.end, method === 'HEAD' ? 'short' : 'whole')
  })
}

test('any bytes pass both ways, streamed as they come', async () => {
  const [up, down] = [randomBytes(300_000), randomBytes(300_000)]
  const headers = ['Content-Type', 'application/octet-stream', 'X-Twice', '1', 'X-Twice', '2']
  upstream.next({
    raw: [down.subarray(0, 7), down.subarray(7)],
    status: 207,
    statusText: 'Odd',
    headers,
  })
  const { answer, request } = await passed({ path: '/openai/v1/embeddings', body: up, headers })
  assert.ok(request.body.equals(up))
  assert.ok(answer.body.equals(down))
  assert.deepEqual([answer.status, answer.statusText], [207, 'Odd'])
  assert.deepEqual(answer.headers.slice(0, 6), headers)
})

test('a body of unknown length passes', async () => {
  const headers = ['content-type', 'application/json', 'transfer-encoding', 'chunked']
  const { request } = await passed({
    path: '/openai/v1/embeddings',
    body: '2\r\n{}\r\n0\r\n\r\n',
    headers,
  })
  assert.equal(request.body.toString(), '{}')
})

test('the client’s own wish for an encoding stands, and an encoded reply passes', async () => {
  upstream.next({ encode: 'br' })
  const headers = ['Accept-Encoding', 'br, zstd']
  const { request, answer } = await passed({ method: 'GET', path: '/openai/v1/models', headers })
  assert.equal(headerOf(request.rawHeaders, 'accept-encoding'), 'br, zstd')
  assert.equal(headerOf(answer.headers, 'content-encoding'), 'br')
  const { request: none } = await passed({ method: 'GET', path: '/openai/v1/models', headers: [] })
  assert.equal(headerOf(none.rawHeaders, 'accept-encoding'), undefined)
})

test('the upstream learns who asked, as from any reverse proxy', async () => {
  const headers = ['X-Forwarded-For', '2.2.2.2, 3.3.3.3', 'X-Forwarded-Proto', 'https']
  const { request } = await passed({ method: 'GET', path: '/anthropic/v1/models', headers })
  assert.equal(headerOf(request.rawHeaders, 'x-forwarded-for'), '2.2.2.2, 3.3.3.3, 127.0.0.1')
  assert.equal(headerOf(request.rawHeaders, 'x-forwarded-host'), 'sluice.test')
  assert.equal(headerOf(request.rawHeaders, 'x-forwarded-proto'), 'http')
  assert.equal(headerOf(request.rawHeaders, 'user-agent'), 'sluice')
  assert.equal(headerOf(request.rawHeaders, 'host'), `127.0.0.1:${upstream.port}`)
})

test('the client’s credentials pass as they are, both at once; else the key is put in', async () => {
  const both = ['X-Api-Key', 'own', 'Authorization', 'Bearer own2', 'X-Sluice-Token', 'secret']
  const { request } = await passed({ method: 'GET', path: '/anthropic/v1/models', headers: both })
  assert.equal(headerOf(request.rawHeaders, 'x-api-key'), 'own')
  assert.equal(headerOf(request.rawHeaders, 'authorization'), 'Bearer own2')
  assert.equal(headerOf(request.rawHeaders, 'x-sluice-token'), undefined)
  const keyed = await startGateway({ provider: { key: 'configured' } })
  for (const [path, name, value] of [
    ['/anthropic/v1/models', 'x-api-key', 'configured'],
    ['/openai/v1/models', 'authorization', 'Bearer configured'],
  ] as const) {
    await rawCall(keyed.port, { path, method: 'GET' })
    assert.equal(headerOf(keyed.upstream.requests.at(-1)?.rawHeaders ?? [], name), value)
  }
  await keyed.close()
})

test('a reply that breaks off looks cut to the client, too', async () => {
  upstream.next({ raw: ['some', 'thing'], cut: 1 })
  const { answer } = await passed({ method: 'GET', path: '/openai/v1/models' })
  assert.notEqual(answer.end, 'whole')
  assert.notEqual(answer.end, 'until-close')
})

test('to a client of HTTP/1.0, whose bodies end with the connection, a cut looks like a reset', async () => {
  upstream.next({ raw: ['some', 'thing'], cut: 1 })
  const { end } = await rawCall(port, { method: 'GET', path: '/openai/v1/models', version: '1.0' })
  assert.equal(end, 'reset')
})

test('a shutdown waits for what passes, then cuts it', async () => {
  const other = await startGateway()
  other.upstream.next({ raw: ['some', 'thing'], stall: 1 })
  const call = openCall(other.port, { method: 'GET', path: '/openai/v1/models' })
  await call.until((body) => body.toString() === 'some')
  assert.equal(other.gateway.openRequests, 1)
  await other.gateway.drain(20)
  assert.equal((await call.answer).end, 'short')
  assert.equal(other.gateway.openRequests, 0)
  await other.close()
})

test('a client that leaves ends the upstream’s reply', async () => {
  const at = upstream.requests.length
  upstream.next({ raw: ['some', 'thing'], stall: 1 })
  const call = openCall(port, { method: 'GET', path: '/openai/v1/models' })
  await call.until((body) => body.toString() === 'some')
  call.socket.destroy()
  await once(call.socket, 'close')
  assert.equal(await upstream.requests[at]?.ended, 'gone')
})

for (const transport of ['undici', 'got'] as const) {
  test(`${transport}: a client that is answered early can send the rest, and its next request`, async (t) => {
    const answer = 'HTTP/1.1 413 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno'
    const refusing = await listen((socket) => {
      socket.once('data', () => socket.pause().end(answer))
    })
    const provider = { baseUrl: `http://127.0.0.1:${portOf(refusing.server)}` }
    const between = await startGateway({ provider, transport })
    t.after(async () => {
      await between.close()
      await refusing.close()
    })
    const client = connect(between.port, '127.0.0.1')
    let got = ''
    client.setEncoding('latin1').on('data', (text: string) => {
      got += text
    })
    const size = 30 * 1024 ** 2
    const head = `POST /openai/v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`
    client.write(head)
    await new Promise((resolve) => client.write(Buffer.alloc(size), resolve))
    client.write('GET /openai/v1/models HTTP/1.1\r\nhost: x\r\n\r\n')
    while (got.split('HTTP/1.1 413 No').length < 3) await once(client, 'data')
    client.destroy()
  })
}
