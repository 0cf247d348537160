import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { proxyFor } from '../../../src/core/transports/proxy.ts'
import { headerOf, listen, portOf } from '../../support/raw-http.ts'
import { testCertificate } from '../../support/test-certificate.ts'
import {
  endToEnd,
  fault,
  read,
  request,
  transports,
  withUpstream,
} from '../../support/transports.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const list = ['X-B', '1', 'x-a', '2', 'X-b', '3']

for (const [name, make] of Object.entries(transports)) {
  describe(`the ${name} transport and proxies`, { timeout: 30_000 }, () => {
    before(() => setDefaultCACertificates([...getCACertificates(), testCertificate.cert]))

    test('asks the proxy for an http upstream in absolute form, with the same header list', async () => {
      await withUpstream(
        ({ host }) => make({ proxy: { httpProxy: `http://me:p%40ss@${host}` } }),
        ({ socket }) => socket.write(ok),
        async (_, transport, { requests, sockets }) => {
          const url = new URL('http://api.example/v1/messages?x=1')
          for (let i = 0; i < 2; i++, await sleep(20)) {
            const reply = await read(await transport.send(request(url, { headers: list })))
            assert.equal(reply.body, 'ok')
          }
          const [sent] = requests
          assert.ok(sent)
          assert.equal(sent.line, 'POST http://api.example/v1/messages?x=1 HTTP/1.1')
          assert.equal(headerOf(sent.headers, 'host'), 'api.example')
          const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
          assert.equal(headerOf(sent.headers, 'proxy-authorization'), basic)
          assert.deepEqual(endToEnd(sent).slice(0, 6), list)
          assert.equal(sent.body.toString(), 'ping')
          assert.equal(sockets.length, 1)
        },
      )
    })

    test('reaches an https upstream through a tunnel, with the same header list', async () => {
      const upstream = await secureUpstream()
      const proxy = await tunnelProxy()
      const transport = make({ proxy: { httpsProxy: proxy.url } })
      // The proxy finds the host: the client need not be able to.
      const url = new URL(`https://api.example:${upstream.port}/v1/messages`)
      for (let i = 0; i < 2; i++, await sleep(20)) {
        const reply = await read(await transport.send(request(url, { headers: list })))
        assert.deepEqual([reply.status, reply.body], [200, 'secret'])
      }
      assert.deepEqual(proxy.targets, [`api.example:${upstream.port}`])
      assert.equal(upstream.requests[0]?.headers.host, `api.example:${upstream.port}`)
      assert.deepEqual(rawList(upstream.requests[0]), list)
      await transport.close()
      await proxy.close()
      upstream.close()
    })

    test('goes past the proxy where the host is excepted', async () => {
      await withUpstream(
        () => make({ proxy: { httpProxy: 'http://127.0.0.1:1', noProxy: 'localhost,127.0.0.1' } }),
        ({ socket }) => socket.write(ok),
        async (url, transport) => {
          assert.equal((await read(await transport.send(request(url)))).body, 'ok')
        },
      )
    })

    test('names a proxy that refuses or is away', async () => {
      const refusing = await listen((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n'))
      })
      const at = `127.0.0.1:${portOf(refusing.server)}`
      const transport = make({ proxy: { httpsProxy: `http://${at}` } })
      const url = new URL('https://api.example/')
      const refused = await fault(transport.send(request(url)))
      assert.match(refused.message, new RegExp(`api\\.example:443.*through the proxy ${at}: .*407`))
      await refusing.close()
      const away = await fault(transport.send(request(url)))
      assert.match(
        away.message,
        new RegExp(`api\\.example:443.*through the proxy ${at}: .*ECONNREFUSED`),
      )
      await transport.close()
    })

    test('gives up at an abort while the tunnel is being made', async () => {
      const silent = await listen((socket) => socket.resume())
      const transport = make({ proxy: { httpsProxy: `http://127.0.0.1:${portOf(silent.server)}` } })
      const aborter = new AbortController()
      const { signal } = aborter
      const sending = transport.send(request(new URL('https://api.example/'), { signal }))
      const [socket] = (await once(silent.server, 'connection')) as [Socket]
      const closed = once(socket, 'close')
      const reason = new Error('the client has gone')
      aborter.abort(reason)
      await assert.rejects(sending, reason)
      await closed
      await transport.close()
      await silent.close()
    })

    test('tells of a certificate that is not for the host', async () => {
      const upstream = await secureUpstream()
      const proxy = await tunnelProxy()
      const transport = make({ proxy: { httpsProxy: proxy.url } })
      const url = new URL(`https://other.example:${upstream.port}/`)
      const { message } = await fault(transport.send(request(url)))
      assert.match(message, /other\.example.*TLS failed.*ALTNAME_INVALID.*NODE_EXTRA_CA_CERTS/)
      await transport.close()
      await proxy.close()
      upstream.close()
    })

    test('reaches an https upstream without a proxy, and keeps its connection', async () => {
      const upstream = await secureUpstream()
      const transport = make()
      const url = new URL(`https://localhost:${upstream.port}/`)
      for (let i = 0; i < 2; i++, await sleep(20)) {
        const reply = await read(await transport.send(request(url, { headers: list })))
        assert.deepEqual([reply.status, reply.statusText, reply.body], [200, 'OK', 'secret'])
      }
      assert.deepEqual(rawList(upstream.requests[0]), list)
      assert.ok(upstream.requests[0]?.socket === upstream.requests[1]?.socket)
      await transport.close()
      upstream.close()
    })

    test('speaks HTTP/2 only where it is asked to', async () => {
      const { createSecureServer: createHttp2Server } = await import('node:http2')
      const server = createHttp2Server(
        { ...testCertificate, allowHTTP1: true },
        (request, reply) => {
          request.resume()
          request.on('end', () => reply.end(request.httpVersion))
        },
      ).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/`)
      for (const [http2, version] of [
        [false, '1.1'],
        [true, '2.0'],
      ] as const) {
        const transport = make({ http2 })
        const reply = await read(await transport.send(request(url, { headers: ['X-A', '1'] })))
        assert.deepEqual([reply.status, reply.body, reply.end], [200, version, 'clean'])
        assert.ok(!reply.headers.some((item) => item.startsWith(':')))
        await transport.close()
      }
      server.close()
    })
  })
}

test('a proxy is chosen by scheme, and NO_PROXY by host, suffix, port or all', () => {
  const proxies = { httpProxy: 'plain.example:3128', httpsProxy: 'http://secure.example:3128' }
  const host = (url: string, noProxy?: string): string | undefined =>
    proxyFor(new URL(url), { ...proxies, ...(noProxy === undefined ? {} : { noProxy }) })?.hostname
  assert.equal(host('http://a.example/'), 'plain.example')
  assert.equal(host('https://a.example/'), 'secure.example')
  assert.equal(proxyFor(new URL('https://a.example/'), { httpProxy: 'x' }), undefined)
  for (const entry of [
    '*',
    'a.example',
    'x, A.Example.',
    '.example',
    '*.example',
    'a.example:443',
  ]) {
    assert.equal(host('https://a.example/', entry), undefined, entry)
  }
  for (const entry of ['', ' , ', 'b.example', 'aa.example', 'a.example:80', 'a.exam']) {
    assert.equal(host('https://a.example/', entry), 'secure.example', entry)
  }
  for (const entry of ['::1', '[::1]', '[::1]:8080']) {
    assert.equal(host('http://[::1]:8080/', entry), undefined, entry)
  }
  assert.equal(host('http://[::1]:8080/', '[::1]:81'), 'plain.example')
  assert.throws(
    () => proxyFor(new URL('http://a.example/'), { httpProxy: 'socks5://me:s3cret@b' }),
    (error: Error) => /HTTP|http\(s\)/.test(error.message) && !error.message.includes('s3cret'),
  )
})

/** An https server that reads each request and answers `secret`. */
async function secureUpstream(): Promise<{
  port: number
  requests: IncomingMessage[]
  close: () => void
}> {
  const requests: IncomingMessage[] = []
  const server = createSecureServer(testCertificate, (request, reply) => {
    requests.push(request)
    request.resume().on('end', () => reply.setHeader('content-length', 6).end('secret'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A proxy that knows CONNECT, and every host at 127.0.0.1. */
async function tunnelProxy(): Promise<{
  url: string
  targets: string[]
  close: () => Promise<void>
}> {
  const targets: string[] = []
  const sockets: Socket[] = []
  const server = createServer()
  server.on('connect', ({ url = '' }: IncomingMessage, client: Socket) => {
    targets.push(url)
    const upstream = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    for (const socket of [upstream, client]) socket.on('error', () => {})
    sockets.push(client, upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What came, less what the transport set. */
function rawList(request: IncomingMessage | undefined): string[] {
  return endToEnd({ headers: request?.rawHeaders ?? [] })
}
