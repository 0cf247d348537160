import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { rawPost, rawSocket } from './raw-client.ts'

const upstream = await fakeUpstream()
after(() => upstream.close())
const { port } = upstream
const ask = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }

test('a request is kept with its raw headers and its bytes', async () => {
  await rawPost(port, '/v1/messages?beta=true', ask, 'X-Odd: One\r\nx-odd: two\r\n')
  const request = upstream.requests.at(-1)
  assert.equal(request?.method, 'POST')
  assert.equal(request?.url, '/v1/messages?beta=true')
  assert.equal(request?.body.toString(), JSON.stringify(ask))
  assert.deepEqual(request?.json, ask)
  const at = request?.rawHeaders.indexOf('X-Odd') ?? -1
  assert.deepEqual(request?.rawHeaders.slice(at, at + 4), ['X-Odd', 'One', 'x-odd', 'two'])
  assert.equal(await request?.ended, 'sent')
})

test('raw bytes go out verbatim, a chunk only when it is drawn', async () => {
  const { promise: seen, resolve: tell } = Promise.withResolvers<void>()
  async function* chunks() {
    yield 'first'
    await seen
    yield Buffer.from([0xff, 0x00])
  }
  upstream.next({
    raw: chunks(),
    status: 201,
    statusText: 'Odd',
    headers: ['X-One', '1', 'X-One', '2'],
  })
  const socket = rawSocket(port, '/v1/messages', ask, 'connection: close\r\n')
  let text = ''
  for await (const part of socket) {
    text += (part as Buffer).toString('latin1')
    if (text.includes('first')) tell()
  }
  assert.match(text, /^HTTP\/1\.1 201 Odd\r\nX-One: 1\r\nX-One: 2\r\n/)
  assert.ok(text.endsWith('\r\n\r\n5\r\nfirst\r\n2\r\n\xff\x00\r\n0\r\n\r\n'))
})

test('a whole reply goes out verbatim, status line and all', async () => {
  const wire = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok'
  upstream.next({ wire })
  const socket = rawSocket(port, '/anything', ask)
  let text = ''
  for await (const part of socket) text += part
  assert.equal(text, wire)
  assert.equal(await upstream.requests.at(-1)?.ended, 'sent')
})

test('replies queue up, functions see the request, and undefined means as usual', async () => {
  upstream.next(
    ({ url }) => ({ raw: `you asked ${url}` }),
    () => undefined,
  )
  assert.equal((await rawPost(port, '/v1/messages', ask)).body.toString(), 'you asked /v1/messages')
  assert.match((await rawPost(port, '/v1/messages', ask)).body.toString(), /"type":"message"/)
})

test('parts of the answer can be given', async () => {
  upstream.next({ answer: { text: 'Given.', calls: [{ name: 'look', input: { at: 1 } }] } })
  const { body } = await rawPost(port, '/v1/messages', ask)
  const { content, stop_reason } = JSON.parse(body.toString())
  assert.deepEqual(content[0], { type: 'text', text: 'Given.' })
  assert.deepEqual([content[1].name, content[1].input], ['look', { at: 1 }])
  assert.equal(stop_reason, 'tool_use')
})

test('an author whose reply throws sees why', async () => {
  upstream.next(() => {
    throw new Error('a slip')
  })
  const { head, body } = await rawPost(port, '/v1/messages', ask)
  assert.match(head, /^HTTP\/1.1 500/)
  assert.match(body.toString(), /a slip/)
})

test('with fresh ids equal requests get different ids', async () => {
  const fresh = await fakeUpstream({ freshIds: true, keepRequests: false })
  const ids = new Set<string>()
  for (let times = 0; times < 2; times++) {
    ids.add(JSON.parse((await rawPost(fresh.port, '/v1/messages', ask)).body.toString()).id)
  }
  assert.equal(ids.size, 2)
  assert.equal(fresh.requests.length, 0)
  await fresh.close()
})

test('asking for usage changes nothing else of a chat stream', async () => {
  const chat = { ...ask, stream: true }
  const plain = await rawPost(port, '/v1/chat/completions', chat)
  const asked = await rawPost(port, '/v1/chat/completions', {
    ...chat,
    stream_options: { include_usage: true },
  })
  const text = asked.body.toString().replaceAll(',"usage":null', '')
  assert.equal(text.replace(/data: .*"choices":\[\],"usage".*\n\n/, ''), plain.body.toString())
})

test('closing cuts what is still open', async () => {
  const other = await fakeUpstream({ reply: { stall: 1 } })
  const socket = rawSocket(other.port, '/v1/messages', { ...ask, stream: true })
  socket.on('error', () => {})
  await once(socket, 'data')
  await Promise.all([other.close(), once(socket, 'close')])
})
