import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import type { Reply } from '../../../src/core/upstream.ts'
import { headerOf, listen, portOf } from '../../support/raw-http.ts'
import {
  endToEnd,
  type ReadReply,
  read,
  request,
  requestsOf,
  transports,
  withUpstream,
} from '../../support/transports.ts'

interface Case {
  readonly method?: string
  /** Latin-1. */
  readonly answer: string
  /** What the upstream does with the connection afterwards. */
  readonly after?: 'close' | 'reset'
  readonly expect: Partial<ReadReply>
}

const event = 'event: ping\ndata: {"a":"\xe4\xff"}\n\n'

/** What an upstream sends, and what a reply must say of it; `OK`, an empty body, a clean end if not named. */
const replies: Record<string, Case> = {
  'a chunked body': {
    answer: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n`,
    expect: { body: 'abcde' },
  },
  'a body of known length, byte for byte': {
    answer: `HTTP/1.1 200 OK\r\ncontent-length: ${event.length}\r\n\r\n${event}`,
    expect: { body: event },
  },
  'a compressed body as it is': {
    answer:
      'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x00\xff',
    expect: { body: '\x1f\x8b\x00\xff' },
  },
  'a body after 103 early hints, without them': {
    answer:
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    expect: { body: 'ok', headers: ['content-length', '2'] },
  },
  'a 204': {
    answer: 'HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n',
    expect: { status: 204, statusText: 'No Content', headers: ['x-a', '1'] },
  },
  'a 304 that names a length': {
    answer: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\netag: "x"\r\n\r\n',
    expect: {
      status: 304,
      statusText: 'Not Modified',
      headers: ['content-length', '10', 'etag', '"x"'],
    },
  },
  'the answer to a HEAD': {
    method: 'HEAD',
    answer: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n',
    expect: { headers: ['content-length', '10'] },
  },
  'names, order and duplicates of headers, cookies and latin-1 among them': {
    answer:
      'HTTP/1.1 200 OK\r\nX-B: 1\r\nx-a:  2 \r\nSet-Cookie: a=1; Path=/\r\nX-b: 3\r\nset-cookie: b=2\r\n' +
      'X-Latin: caf\xe9 \xff\r\nX-Empty:\r\ncontent-length: 0\r\nRetry-After: 7\r\n\r\n',
    expect: {
      headers: [
        ...['X-B', '1', 'x-a', '2', 'Set-Cookie', 'a=1; Path=/', 'X-b', '3', 'set-cookie', 'b=2'],
        ...['X-Latin', 'caf\xe9 \xff', 'X-Empty', '', 'content-length', '0', 'Retry-After', '7'],
      ],
    },
  },
  'a header of 40 kB': {
    answer: `HTTP/1.1 200 OK\r\nx-large: ${'y'.repeat(40_000)}\r\ncontent-length: 0\r\n\r\n`,
    expect: { headers: ['x-large', 'y'.repeat(40_000), 'content-length', '0'] },
  },
  'more headers than Node counts, and the length behind them': {
    answer: `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(1500)}content-length: 2\r\n\r\nok`,
    expect: {
      headers: [...Array(1500).fill(['a', 'b']).flat(), 'content-length', '2'],
      body: 'ok',
    },
  },
  'a status and a reason of its own': {
    answer: 'HTTP/1.1 529 Over-loaded, (sorry)!\r\ncontent-length: 0\r\n\r\n',
    expect: { status: 529, statusText: 'Over-loaded, (sorry)!' },
  },
  'an empty reason': {
    answer: 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n',
    expect: { statusText: '' },
  },
  'the bytes of a reason in UTF-8': {
    answer: 'HTTP/1.1 200 \xc3\xa9t\xc3\xa9\r\ncontent-length: 0\r\n\r\n',
    expect: { statusText: '\xc3\xa9t\xc3\xa9' },
  },
  'an error status like any other': {
    answer: 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\noops',
    expect: { status: 500, statusText: 'Internal Server Error', body: 'oops' },
  },
  'a redirect, not followed': {
    answer: 'HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n',
    expect: { status: 302, statusText: 'Found' },
  },
  'a chunked body without its trailers': {
    answer:
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n',
    expect: { body: 'ok', headers: ['transfer-encoding', 'chunked', 'trailer', 'x-sum'] },
  },
  'a body that ends with its connection': {
    answer: 'HTTP/1.1 200 OK\r\n\r\nuntil the end',
    after: 'close',
    expect: { body: 'until the end' },
  },
  'a body that is longer than it said, up to its length': {
    answer: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello and more',
    expect: { body: 'hello' },
  },
  'a body that is shorter than it said as an error': {
    answer: 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello',
    after: 'close',
    expect: { body: 'hello', end: 'error' },
  },
  'a chunked body without its last chunk as an error': {
    answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
    after: 'close',
    expect: { body: 'hello', end: 'error' },
  },
  'a broken chunk as an error': {
    answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n',
    expect: { body: 'hello', end: 'error' },
  },
  'a reset amid a body as an error': {
    answer: 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello',
    after: 'reset',
    expect: { body: 'hello', end: 'error' },
  },
  'a reset amid a body that lasts until the connection closes as an error': {
    answer: 'HTTP/1.1 200 OK\r\n\r\nhello',
    after: 'reset',
    expect: { body: 'hello', end: 'error' },
  },
}

for (const [name, make] of Object.entries(transports)) {
  describe(`the ${name} transport on the wire`, { timeout: 30_000 }, () => {
    for (const [title, { method = 'POST', answer, after, expect }] of Object.entries(replies)) {
      test(`passes on ${title}`, async () => {
        await withUpstream(
          () => make(),
          ({ socket }) => {
            socket.write(answer, 'latin1')
            if (after === 'close') socket.end()
            // Later than the bytes: a reset makes the receiver drop what it has not read.
            if (after === 'reset') setTimeout(() => socket.resetAndDestroy(), 50)
          },
          async (url, transport) => {
            const { headers, ...rest } = await read(await transport.send(request(url, { method })))
            const { headers: wanted = headers, ...said } = expect
            assert.deepEqual(rest, {
              status: 200,
              statusText: 'OK',
              body: '',
              end: 'clean',
              ...said,
            })
            assert.deepEqual(headers, wanted)
          },
        )
      })
    }

    test('hands on each chunk of a reply before the next is sent', async () => {
      await withUpstream(
        () => make(),
        ({ socket }) =>
          socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n0\r\n'),
        async (url, transport, { sockets }) => {
          const { body }: Reply = await transport.send(request(url))
          let next = 1
          for await (const chunk of body) {
            assert.equal(String(chunk), String(next - 1))
            sockets[0]?.write(next < 5 ? `1\r\n${next++}\r\n` : '0\r\n\r\n')
          }
          assert.equal(next, 5)
        },
      )
    })

    test('sends the very header list: case, order, duplicates, latin-1', async () => {
      const headers = [
        ...['X-B', '1', 'x-a', '2', 'X-b', '3', 'Accept-Encoding', 'identity', 'X-A', ''],
        ...['anthropic-Beta', 'a,b', 'X-Latin', 'caf\xe9 \xff', 'Content-Type', 'application/json'],
      ]
      const [sent] = await requestsOf(make, [{ headers }])
      assert.ok(sent)
      assert.equal(sent.line, 'POST /v1/messages?beta=true&x=%20 HTTP/1.1')
      assert.deepEqual(endToEnd(sent), headers)
    })

    test('adds no header but those of its connection', async () => {
      const [sent] = await requestsOf(make, [{ method: 'GET', headers: [] }])
      const names = sent?.headers.filter((_, i) => i % 2 === 0).map((item) => item.toLowerCase())
      assert.deepEqual(names, ['host', 'connection'])
      assert.match(headerOf(sent?.headers ?? [], 'host') ?? '', /^127\.0\.0\.1:\d+$/)
    })

    test('leaves out the headers that a client library refuses', async () => {
      const refused = ['Connection', 'Keep-Alive', 'Transfer-Encoding', 'Upgrade', 'Expect']
      const set = ['Content-Length', 'Host', 'Proxy-Connection']
      const headers = [...refused, ...set].flatMap((item) => [item, 'bogus'])
      const [sent] = await requestsOf(make, [{ headers: [...headers, 'x-kept', '1'] }])
      assert.ok(sent)
      assert.deepEqual(endToEnd(sent), ['x-kept', '1'])
      assert.equal(sent.body.toString(), 'ping')
    })

    test('sends the same bytes of a Buffer, a stream and a stream of known length', async () => {
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))
      const stream = (): Readable => Readable.from([bytes.subarray(0, 7), bytes.subarray(7)])
      const [whole, chunked, known] = await requestsOf(make, [
        { body: bytes },
        { body: stream() },
        { body: stream(), contentLength: bytes.length },
      ])
      assert.ok(whole && chunked && known)
      for (const sent of [whole, chunked, known]) assert.ok(sent.body.equals(bytes))
      assert.equal(headerOf(whole.headers, 'content-length'), '300000')
      assert.equal(headerOf(known.headers, 'content-length'), '300000')
      assert.equal(headerOf(chunked.headers, 'transfer-encoding'), 'chunked')
      assert.equal(headerOf(chunked.headers, 'content-length'), undefined)
    })

    test('frames a request without a body by its method, and one with a body whatever its method', async () => {
      const [post, get, remove, odd] = await requestsOf(make, [
        { body: null },
        { method: 'GET', body: null },
        { method: 'DELETE', body: Buffer.alloc(0) },
        { method: 'GET', body: Buffer.from('odd') },
      ])
      assert.ok(post && get && remove && odd)
      assert.equal(headerOf(post.headers, 'content-length'), '0')
      for (const sent of [get, remove]) {
        assert.equal(headerOf(sent.headers, 'content-length'), undefined)
        assert.equal(headerOf(sent.headers, 'transfer-encoding'), undefined)
      }
      assert.equal(odd.body.toString(), 'odd')
    })

    test('passes each chunk of a request stream on as it comes', async () => {
      const { server, close } = await listen(() => {})
      const transport = make()
      const body = new Readable({ read() {} })
      body.push('first')
      const sending = transport.send(
        request(new URL(`http://127.0.0.1:${portOf(server)}/`), { body }),
      )
      const [socket] = (await once(server, 'connection')) as [Socket]
      let seen = ''
      while (!seen.includes('first')) seen += String((await once(socket, 'data'))[0])
      body.push('second')
      while (!seen.includes('second')) seen += String((await once(socket, 'data'))[0])
      body.push(null)
      while (!seen.endsWith('0\r\n\r\n')) seen += String((await once(socket, 'data'))[0])
      socket.write('HTTP/1.1 204 No Content\r\n\r\n')
      assert.equal((await read(await sending)).status, 204)
      await transport.close()
      await close()
    })
  })
}
