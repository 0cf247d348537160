import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { brotliCompress, deflate, gzip, zstdCompress } from 'node:zlib'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'
import { headerOf } from '../support/raw-http.ts'

const gateway = await startGateway({ maxBodySize: 1024 * 1024 })
after(() => gateway.close())
const { upstream, port } = gateway
const { path, ask } = routes.messages

/** A raw header list without what belongs to the connection itself. */
function endToEnd(headers: readonly string[]): string[] {
  const own = /^(host|connection|keep-alive|transfer-encoding|content-length)$/i
  return headers.filter((_, at) => !own.test(headers[at - (at % 2)] ?? ''))
}

const vendorHeaders = [
  'Content-Type',
  'application/json',
  'Request-Id',
  'req_1',
  'anthropic-ratelimit-requests-remaining',
  '7',
  'Retry-After',
  '3',
  'Set-Cookie',
  'a=1; Path=/',
  'set-cookie',
  'b=2',
  'X-Twice',
  'one',
  'X-Twice',
  'two',
  'X-Latin',
  'caf\u00e9',
  'x-should-retry',
  'false',
  'CF-RAY',
  'abc',
  'Server',
  'upstream',
]

for (const [name, { path, ask }] of Object.entries(routes)) {
  for (const stream of [false, true]) {
    test(`${name}${stream ? ' streamed' : ''}: status, reason and headers are the upstream’s own, and ours is one more`, async () => {
      const type = stream ? 'text/event-stream; charset=utf-8' : 'application/json'
      const headers = vendorHeaders.with(1, type)
      upstream.next({ wire: slowly(headers) })
      const answer = await rawCall(port, { path, body: { ...ask, stream } })
      assert.deepEqual([answer.status, answer.statusText], [203, 'Rather Odd'])
      const id = headerOf(answer.headers, 'x-sluice-interception-id') ?? ''
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
      assert.deepEqual(endToEnd(answer.headers), [...headers, 'x-sluice-interception-id', id])
      assert.equal(headerOf(answer.headers, 'date'), undefined)
    })
  }
}

/** A head whose body comes some turns of the loop later. */
async function* slowly(headers: readonly string[]): AsyncGenerator<Buffer> {
  const lines = headers.flatMap((name, at) => (at % 2 ? [] : [`${name}: ${headers[at + 1]}\r\n`]))
  const head = `HTTP/1.1 203 Rather Odd\r\n${lines.join('')}transfer-encoding: chunked\r\n\r\n`
  yield Buffer.from(head, 'latin1')
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  yield Buffer.from('2\r\n{}\r\n0\r\n\r\n')
}

test('the upstream’s own date stays, and headers of its connection go', async () => {
  const date = 'Thu, 01 Jan 2026 00:00:00 GMT'
  const connection = ['Connection', 'X-Hop, keep-alive', 'X-Hop', '1', 'Keep-Alive', 'timeout=9']
  const proxy = ['Proxy-Authenticate', 'Basic', 'Trailer', 'X-T']
  const { answer } = await echoed({ reply: ['Date', date, ...connection, ...proxy, 'X-Own', '1'] })
  const kept = endToEnd(answer.headers)
  assert.deepEqual(kept.slice(0, 4), ['Date', date, 'X-Own', '1'])
  assert.equal(kept.length, 6)
  assert.notEqual(headerOf(answer.headers, 'keep-alive'), 'timeout=9')
})

test('a refusal passes with its status, headers and body', async () => {
  const body = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
  const headers = ['content-type', 'application/json', 'retry-after', '9', 'request-id', 'r']
  upstream.next({ status: 529, statusText: '', headers, raw: body })
  const answer = await rawCall(port, { path, body: ask })
  assert.deepEqual([answer.status, answer.body.toString()], [529, body])
  assert.equal(headerOf(answer.headers, 'retry-after'), '9')
  const { end } = await gateway.ended(idOf(answer.headers))
  assert.deepEqual(
    [end.outcome, end.errorType, end.errorMessage, end.httpStatus],
    ['failed', 'overloaded', 'Overloaded', 529],
  )
})

test('the client’s headers reach the upstream in their case and order', async () => {
  const own = [
    'User-Agent',
    'agent/1.0',
    'content-type',
    'application/json',
    'anthropic-version',
    '2023-06-01',
    'Anthropic-Beta',
    'one,two',
    'anthropic-beta',
    'three',
    'x-stainless-lang',
    'js',
    'Cookie',
    'a=1',
    'X-Forwarded-For',
    '1.2.3.4',
    'originator',
    'codex',
    'session_id',
    's-1',
  ]
  const { request } = await echoed({ headers: own })
  assert.deepEqual(endToEnd(request.rawHeaders), [...own, 'accept-encoding', 'identity'])
  assert.equal(headerOf(request.rawHeaders, 'host'), `127.0.0.1:${upstream.port}`)
})

test('what is meant for the connection, or for the gateway, never reaches the upstream', async () => {
  const { request } = await echoed({
    headers: [
      'Content-Type',
      'application/json',
      'Accept-Encoding',
      'gzip, br',
      'TE',
      'trailers',
      'Keep-Alive',
      'timeout=5',
      'Proxy-Authorization',
      'Basic c2VjcmV0',
      'Connection',
      'X-Private',
      'X-Private',
      'secret',
      'Coder-Session-Token',
      'secret',
      'X-Sluice-Token',
      'secret',
      'X-Sluice-User',
      'me',
      'X-Sluice-Repo',
      'r',
      'X-Coder-AI-Governance-Token',
      'secret',
      'X-AI-Bridge-Actor-ID',
      'me',
      'x-ai-bridge-actor-metadata-name',
      'me',
    ],
  })
  assert.deepEqual(endToEnd(request.rawHeaders), [
    'Content-Type',
    'application/json',
    'accept-encoding',
    'identity',
  ])
})

test('a request without a user agent gets none', async () => {
  const { request } = await echoed({ headers: ['content-type', 'application/json'] })
  assert.equal(headerOf(request.rawHeaders, 'user-agent'), undefined)
})

test('one credential goes on: the client’s own, else the configured key', async () => {
  const keyed = await startGateway({ provider: { key: 'configured-key' } })
  try {
    const seen = async (route: string, body: object, headers: string[]) => {
      await rawCall(keyed.port, { path: route, body, headers })
      const { authorization, 'x-api-key': apiKey } = keyed.upstream.requests.at(-1)?.headers ?? {}
      return { authorization, apiKey }
    }
    const { chat } = routes
    assert.deepEqual(await seen(path, ask, []), {
      authorization: undefined,
      apiKey: 'configured-key',
    })
    assert.deepEqual(await seen(path, ask, ['x-api-key', 'own', 'authorization', 'Bearer own2']), {
      authorization: undefined,
      apiKey: 'own',
    })
    assert.deepEqual(await seen(chat.path, chat.ask, []), {
      authorization: 'Bearer configured-key',
      apiKey: undefined,
    })
    assert.deepEqual(await seen(chat.path, chat.ask, ['authorization', 'Bearer own']), {
      authorization: 'Bearer own',
      apiKey: undefined,
    })
  } finally {
    await keyed.close()
  }
})

const encoders = {
  gzip: promisify(gzip),
  'x-gzip': promisify(gzip),
  deflate: promisify(deflate),
  br: promisify(brotliCompress),
  zstd: promisify(zstdCompress),
}

for (const [encoding, encode] of Object.entries(encoders)) {
  test(`a request in ${encoding} is read and goes on decoded`, async () => {
    const text = JSON.stringify(ask)
    const { answer, request } = await echoed({
      body: await encode(Buffer.from(text)),
      headers: ['content-type', 'application/json', 'Content-Encoding', encoding.toUpperCase()],
    })
    assert.equal(request.body.toString(), text)
    assert.equal(headerOf(request.rawHeaders, 'content-encoding'), undefined)
    assert.equal(headerOf(request.rawHeaders, 'content-length'), String(text.length))
    const { start, userPrompts } = await gateway.ended(idOf(answer.headers))
    assert.equal(start.model, ask.model)
    assert.equal(userPrompts.length, 1)
  })
}

test('encodings one on the other are taken off in turn, and identity is none', async () => {
  const text = JSON.stringify(ask)
  const body = await encoders.br(await encoders.gzip(Buffer.from(text)))
  const { request } = await echoed({ body, headers: ['Content-Encoding', 'identity, gzip, br'] })
  assert.equal(request.body.toString(), text)
})

for (const encoding of [
  'compress',
  'snappy',
  'constructor',
  'gzip, aes128gcm',
  'gzip,gzip,gzip,gzip',
]) {
  test(`a request in "${encoding}" is refused with 415`, async () => {
    const count = upstream.requests.length
    const answer = await rawCall(port, { path, body: ask, headers: ['Content-Encoding', encoding] })
    assert.equal(answer.status, 415)
    assert.equal(JSON.parse(answer.body.toString()).type, 'error')
    assert.equal(upstream.requests.length, count)
  })
}

for (const [encoding, encode] of Object.entries(encoders)) {
  test(`a body that is small only in ${encoding} is refused with 413`, async () => {
    const bomb = await encode(Buffer.alloc(64 * 1024 * 1024, 32))
    assert.ok(bomb.length < 200_000)
    const answer = await rawCall(port, {
      path,
      body: bomb,
      headers: ['Content-Encoding', encoding],
    })
    assert.equal(answer.status, 413)
    assert.equal(JSON.parse(answer.body.toString()).error.type, 'request_too_large')
  })
}

test('a body that is not in the encoding it names is refused with 400', async () => {
  const answer = await rawCall(port, { path, body: ask, headers: ['Content-Encoding', 'gzip'] })
  assert.equal(answer.status, 400)
})

async function echoed({
  headers = ['content-type', 'application/json'],
  reply = ['content-type', 'application/json'],
  body = ask,
}: {
  headers?: readonly string[]
  reply?: readonly string[]
  body?: Uint8Array | object
}) {
  const at = upstream.requests.length
  upstream.next({ raw: '{}', headers: reply })
  const answer = await rawCall(port, { path, body, headers })
  return { answer, request: await upstream.request(at) }
}

function idOf(headers: readonly string[]): string {
  return headerOf(headers, 'x-sluice-interception-id') ?? ''
}
