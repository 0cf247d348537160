import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { rawPost, rawSocket, readReply } from './raw-client.ts'

const upstream = await fakeUpstream()
after(() => upstream.close())
const { port } = upstream
const hello = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] }
const path = '/v1/messages'
const usual = (await rawPost(port, path, hello)).body
const events = usual.toString().split(/(?<=\n\n)/)

test('equal requests get equal replies, to the byte', async () => {
  assert.deepEqual((await rawPost(port, path, hello)).body, usual)
  assert.equal(events.at(-1), 'event: message_stop\ndata: {"type":"message_stop"}\n\n')
})

test('a stream is cut by a reset after so many events', async () => {
  upstream.next({ cut: 3 })
  const reply = await rawPost(port, path, hello)
  assert.equal(reply.end, 'reset')
  assert.equal(reply.body.toString(), events.slice(0, 3).join(''))
  assert.equal(await upstream.requests.at(-1)?.ended, 'cut')
})

test('a stream is cut after so many bytes, by a TCP end or by a clean end of the body', async () => {
  for (const how of ['fin', 'end'] as const) {
    upstream.next({ cutBytes: 100, how })
    const reply = await rawPost(port, path, hello)
    assert.equal(reply.end, 'fin')
    assert.equal(reply.whole, how === 'end')
    assert.deepEqual(reply.body, usual.subarray(0, 100))
  }
})

test('a connection is cut before any header', async () => {
  upstream.next({ cut: true })
  const reply = await rawPost(port, path, hello)
  assert.deepEqual([reply.end, reply.head], ['reset', ''])
})

test('a blocking body is cut amid its bytes', async () => {
  upstream.next({ cut: 2, how: 'fin' })
  const { head, rest } = await rawPost(port, path, { ...hello, stream: false })
  const said = Number(/content-length: (\d+)/.exec(head)?.[1])
  assert.ok(rest.length > 0 && rest.length < said)
})

test('a stream falls silent after so many events and tells when the client has left', async () => {
  const index = upstream.requests.length
  upstream.next({ stall: 2 })
  const socket = rawSocket(port, path, hello)
  let text = ''
  for await (const part of socket) {
    text += part
    if (text.includes(events[1] ?? '')) break
  }
  const request = await upstream.request(index)
  assert.equal(request.bytesWritten, events.slice(0, 2).join('').length)
  assert.equal(await request.ended, 'gone')
  await request.closed
})

test('a reply that never begins ends when the client leaves', async () => {
  const index = upstream.requests.length
  upstream.next({ stall: true })
  const socket = rawSocket(port, path, hello)
  const request = await upstream.request(index)
  socket.destroy()
  assert.equal(await request.ended, 'gone')
  assert.equal(request.bytesWritten, 0)
})

test('delays come before the headers, before the first byte and between events', async () => {
  upstream.next({ wait: 100, pause: 100, delay: 100, cut: 3, how: 'end' })
  const socket = rawSocket(port, path, hello, 'connection: close\r\n')
  const started = performance.now()
  const at: number[] = []
  socket.on('data', () => at.push(performance.now() - started))
  await once(socket, 'end')
  const [headers = 0, first = 0, second = 0] = at
  // A timer may fire a little early.
  assert.ok(headers >= 95, `headers after ${headers} ms`)
  assert.ok(first - headers >= 95, `the first byte ${first - headers} ms later`)
  assert.ok(second - first >= 95, `the second event ${second - first} ms later`)
})

test('a body is split at any byte, with the same bytes in all', async () => {
  const size = usual.length
  for (const [split, sizes] of [
    [1, Array.from({ length: size }, () => 1)],
    [1000, [...Array.from({ length: Math.floor(size / 1000) }, () => 1000), size % 1000]],
    [
      [3, 200],
      [3, 197, size - 200],
    ],
  ] as const) {
    upstream.next({ split })
    const { body, chunks } = await rawPost(port, path, hello)
    assert.deepEqual(body, usual)
    assert.deepEqual(chunks, sizes)
  }
})

test('without a split each event is one write, with burst all are', async () => {
  const each = await rawPost(port, path, hello)
  assert.deepEqual(
    each.chunks,
    events.map((event) => Buffer.byteLength(event)),
  )
  upstream.next({ burst: true })
  const { body, chunks } = await rawPost(port, path, hello)
  assert.deepEqual(body, usual)
  assert.deepEqual(chunks, [usual.length])
})

test('the JSON of one event, or of a blocking body, is broken', async () => {
  upstream.next({ badJson: 1 }, { badJson: 0 })
  const stream = (await rawPost(port, path, hello)).body.toString().split(/(?<=\n\n)/)
  assert.equal(stream.length, events.length)
  assert.deepEqual(
    stream.filter((event) => !isJson(event.slice(event.indexOf('data: ') + 6))),
    [stream[1]],
  )
  const { body } = await rawPost(port, path, { ...hello, stream: false })
  assert.ok(body.length > 0 && !isJson(body.toString()))
})

test('a content-length is too long or too short', async () => {
  const whole = (await rawPost(port, path, { ...hello, stream: false })).body
  for (const length of [5, -5]) {
    for (const stream of [true, false]) {
      upstream.next({ length })
      const { head, body } = await rawPost(port, path, { ...hello, stream })
      assert.equal(body.length, (stream ? usual : whole).length)
      assert.match(head, new RegExp(`content-length: ${body.length + length}`))
    }
  }
})

test('a close-delimited reply has neither length nor chunks', async () => {
  for (const stream of [true, false]) {
    upstream.next({ close: true })
    const { head, body, end } = await rawPost(port, path, { ...hello, stream })
    assert.doesNotMatch(head, /content-length|transfer-encoding/i)
    assert.ok(body.length > 0 && end === 'fin')
  }
})

test('a body is compressed though no one asked, each event flushed by itself', async () => {
  const decoders = {
    gzip: gunzipSync,
    deflate: inflateSync,
    br: brotliDecompressSync,
    zstd: zstdDecompressSync,
  }
  for (const [encode, decode] of Object.entries(decoders) as [keyof typeof decoders, never][]) {
    upstream.next({ encode })
    const { head, body, chunks } = await rawPost(port, path, hello)
    assert.match(head, new RegExp(`content-encoding: ${encode}`))
    assert.deepEqual((decode as (bytes: Buffer) => Buffer)(body), usual)
    assert.ok(chunks.length >= events.length)
  }
})

test('lines end in any way, with byte order mark, comments, an unknown event and no last blank line', async () => {
  upstream.next(
    { newline: 'crlf', bom: true },
    { newline: 'cr' },
    { unended: true },
    { extras: true },
  )
  const crlf = `\uFEFF${usual.toString().replaceAll('\n', '\r\n')}`
  assert.equal((await rawPost(port, path, hello)).body.toString(), crlf)
  const cr = usual.toString().replaceAll('\n', '\r')
  assert.equal((await rawPost(port, path, hello)).body.toString(), cr)
  const unended = (await rawPost(port, path, hello)).body.toString()
  assert.equal(unended, usual.toString().slice(0, -2))
  const extras = (await rawPost(port, path, hello)).body.toString()
  assert.match(extras, /^: .*\nretry: 3000\n\nid: event-1\nevent: message_start\n/)
  assert.match(extras, /\nevent: simulator.unknown\n/)
})

test('events come after the last one, and the body may not end', async () => {
  upstream.next({ after: 3 })
  const more = (await rawPost(port, path, hello)).body.toString().split(/(?<=\n\n)/)
  assert.equal(more.length, events.length + 3)

  const index = upstream.requests.length
  upstream.next({ open: true })
  const socket = rawSocket(port, path, hello)
  const reply = readReply(socket)
  const request = await upstream.request(index)
  while (request.bytesWritten < usual.length) await once(socket, 'data')
  socket.destroy()
  assert.equal((await reply).whole, false)
  assert.equal(await request.ended, 'gone')
})

test('a huge stream waits for a client that does not read', async () => {
  const index = upstream.requests.length
  upstream.next({ fill: { events: 10_000, bytes: 10_000 } })
  const socket = rawSocket(port, path, hello)
  socket.pause()
  const request = await upstream.request(index)
  let before = -1
  while (before <= 0 || before < request.bytesWritten) {
    before = request.bytesWritten
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.ok(before > 0 && before < 50_000_000, `${before} bytes written`)
  socket.destroy()
  assert.equal(await request.ended, 'gone')
})

test('a request says by header or by the name of its model how the reply is to go wrong', async () => {
  const byHeader = await rawPost(port, path, hello, 'x-simulate: cut=2 how=fin, wait=5\r\n')
  assert.equal(byHeader.body.toString(), events.slice(0, 2).join(''))
  const byModel = await rawPost(port, path, { ...hello, model: 'sim-status-529' })
  assert.match(byModel.head, /^HTTP\/1.1 529 /)
  const plain = await rawPost(port, path, { ...hello, model: 'simple-status-529' })
  assert.match(plain.head, /^HTTP\/1.1 200 /)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
