import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { listen, portOf, type RawRequest } from '../../support/raw-http.ts'
import { fault, read, request, transports, withUpstream } from '../../support/transports.ts'

/** What a close may take: 250 ms are promised, a busy machine gets more. */
const ceiling = 2_000
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

const noReplies: Record<string, (request: RawRequest) => void> = {
  'closes the connection': ({ socket }) => socket.end(),
  'resets the connection': ({ socket }) => socket.resetAndDestroy(),
  'closes it amid the headers': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nx-a: 1\r\n'),
  'closes it after 103 early hints': ({ socket }) =>
    socket.end('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'),
  'switches to another protocol': ({ socket }) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  'speaks no HTTP': ({ socket }) => socket.write('220 smtp.example ESMTP\r\n\r\n'),
  'names a length and chunks, too': ({ socket }) =>
    socket.write(
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ),
}

const abortMoments: Record<string, string> = {
  'while it waits for headers': '',
  'amid the headers': 'HTTP/1.1 200 OK\r\nx-a:',
  'amid the body': 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello',
}

for (const [name, make] of Object.entries(transports)) {
  describe(`a call of the ${name} transport`, { timeout: 30_000 }, () => {
    for (const [title, answer] of Object.entries(noReplies)) {
      test(`is rejected with 502 where the upstream ${title}`, async () => {
        await withUpstream(
          () => make(),
          answer,
          async (url, transport) => {
            const { code, status, message } = await fault(transport.send(request(url)))
            assert.deepEqual([code, status], ['ERR_UPSTREAM_UNREACHABLE', 502])
            assert.match(message, new RegExp(`127\\.0\\.0\\.1:${url.port} is unreachable: .+; .+`))
          },
        )
      })
    }

    test('is rejected with 502 and the reason where nobody listens or the name is unknown', async () => {
      const { server, close } = await listen(() => {})
      const port = portOf(server)
      await close()
      const transport = make()
      const refused = await fault(transport.send(request(new URL(`http://127.0.0.1:${port}/`))))
      assert.match(refused.message, new RegExp(`127.0.0.1:${port} .*refused.*ECONNREFUSED`))
      const unknown = await fault(transport.send(request(new URL('http://no-such-host.invalid/'))))
      assert.match(unknown.message, /no-such-host\.invalid:80 .*(ENOTFOUND|EAI_AGAIN)/)
      await transport.close()
    })

    test('keeps no credential in its error', async () => {
      await withUpstream(
        () => make(),
        ({ socket }) => socket.destroy(),
        async (url, transport) => {
          const headers = ['Authorization', 'Bearer s3cret']
          const error = await fault(transport.send(request(url, { headers })))
          assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /s3cret/)
        },
      )
    })

    test('is made once, whatever becomes of it', async () => {
      const { server, sockets, close } = await listen((socket) => {
        socket.once('data', () => socket.resetAndDestroy())
      })
      const transport = make()
      const url = new URL(`http://127.0.0.1:${portOf(server)}/`)
      await fault(transport.send(request(url, { method: 'GET' })))
      await fault(transport.send(request(url)))
      await sleep(100)
      assert.equal(sockets.length, 2)
      await transport.close()
      await close()
    })

    for (const [moment, answer] of Object.entries(abortMoments)) {
      test(`closes the upstream's socket when it is aborted ${moment}`, async () => {
        const { server, close } = await listen((socket) => {
          socket.once('data', () => answer && socket.write(answer))
        })
        const transport = make()
        const aborter = new AbortController()
        const url = new URL(`http://127.0.0.1:${portOf(server)}/`)
        const sending = transport.send(request(url, { signal: aborter.signal }))
        const [socket] = (await once(server, 'connection')) as [Socket]
        await once(socket, 'data')
        const reply = answer.includes('\r\n\r\n') ? await sending : null
        await sleep(20)
        const reason = new Error('the client has gone')
        const closed = once(socket, 'close')
        const start = performance.now()
        aborter.abort(reason)
        if (reply) assert.deepEqual(await once(reply.body, 'error'), [reason])
        else await assert.rejects(sending, reason)
        await closed
        assert.ok(performance.now() - start < ceiling)
        await transport.close()
        await close()
      })
    }

    test('gives up a connection that is still being made', async () => {
      // A server that never answers the TLS greeting: the connection stays in the making.
      const { server, close } = await listen((socket) => socket.pause())
      const transport = make()
      const aborter = new AbortController()
      const url = new URL(`https://127.0.0.1:${portOf(server)}/`)
      const sending = transport.send(request(url, { signal: aborter.signal }))
      const [socket] = (await once(server, 'connection')) as [Socket]
      const reason = new Error('the client has gone')
      await sleep(50)
      const start = performance.now()
      aborter.abort(reason)
      await assert.rejects(sending, reason)
      socket.resume()
      await once(socket, 'close')
      assert.ok(performance.now() - start < ceiling)
      await transport.close()
      await close()
    })

    test('sends nothing where the signal was aborted before', async () => {
      await withUpstream(
        () => make(),
        () => {},
        async (url, transport, { sockets }) => {
          const signal = AbortSignal.abort(new Error('too late'))
          await assert.rejects(transport.send(request(url, { signal })), /too late/)
          assert.equal(sockets.length, 0)
        },
      )
    })

    test('leaves no listener on its signal when it is over', async () => {
      await withUpstream(
        () => make(),
        ({ socket }) => socket.write(ok),
        async (url, transport) => {
          const { signal } = new AbortController()
          await read(await transport.send(request(url, { signal })))
          assert.equal(getEventListeners(signal, 'abort').length, 0)
        },
      )
    })

    test("closes the upstream's socket when its reader destroys the body", async () => {
      await withUpstream(
        () => make(),
        ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
        async (url, transport, { requests }) => {
          const { signal } = new AbortController()
          const { body } = await transport.send(request(url, { signal }))
          const closed = once(requests[0]?.socket as Socket, 'close')
          body.destroy()
          await closed
          assert.equal(getEventListeners(signal, 'abort').length, 0)
        },
      )
    })

    test('does not destroy a request stream that is answered before it was read', async () => {
      const { server, close } = await listen((socket) => {
        const answer = 'HTTP/1.1 413 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
        socket.once('data', () => socket.end(answer))
      })
      const transport = make()
      const body = new Readable({ read() {} })
      body.push('first')
      const url = new URL(`http://127.0.0.1:${portOf(server)}/`)
      const reply = await read(await transport.send(request(url, { body })))
      assert.deepEqual([reply.status, reply.end], [413, 'clean'])
      await sleep(50)
      assert.equal(body.destroyed, false)
      await transport.close()
      await close()
    })

    test('fails, and leaves no socket, when its request stream breaks', async () => {
      const { server, close } = await listen((socket) => socket.resume())
      const transport = make()
      const body = new Readable({ read() {} })
      body.push('first')
      const url = new URL(`http://127.0.0.1:${portOf(server)}/`)
      const sending = transport.send(request(url, { body }))
      const [socket] = (await once(server, 'connection')) as [Socket]
      const closed = once(socket, 'close')
      await sleep(20)
      body.destroy(new Error('the upload broke'))
      await fault(sending)
      await closed
      await transport.close()
      await close()
    })

    test('holds the upstream back while its reader pauses, and gives all bytes then', async () => {
      const total = 64 * 1024 * 1024
      const chunk = Buffer.alloc(256 * 1024, 'x')
      let written = 0
      await withUpstream(
        () => make(),
        ({ socket }) => {
          socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`)
          function fill(): void {
            while (written < total) {
              written += chunk.length
              if (!socket.write(chunk)) return void socket.once('drain', fill)
            }
          }
          fill()
        },
        async (url, transport) => {
          const { body } = await transport.send(request(url))
          let taken = 0
          body.once('data', (part: Buffer) => {
            taken += part.length
            body.pause()
          })
          for (let before = -1; before !== written; await sleep(150)) before = written
          assert.ok(written < total / 2, `${written} bytes were taken unread`)
          assert.ok(body.readableLength <= 1024 * 1024, `${body.readableLength} are buffered`)
          for await (const part of body) taken += (part as Buffer).length
          assert.equal(taken, total)
        },
      )
    })

    test('survives a reader that pauses and resumes at each chunk', async () => {
      const sent = Buffer.from(Array.from({ length: 2_000_000 }, (_, i) => i % 253))
      await withUpstream(
        () => make(),
        ({ socket }) => {
          socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${sent.length}\r\n\r\n`)
          socket.write(sent)
        },
        async (url, transport) => {
          const { body } = await transport.send(request(url))
          const chunks: Buffer[] = []
          body.on('data', (part: Buffer) => {
            chunks.push(part)
            body.pause()
            setImmediate(() => body.resume())
          })
          await once(body, 'end')
          assert.ok(Buffer.concat(chunks).equals(sent))
        },
      )
    })

    test('uses a connection again, and lets it go when it was idle for long', async () => {
      await withUpstream(
        () => make({ idleTimeoutMs: 300 }),
        // What it says of its own patience is not believed beyond ours.
        ({ socket }) => socket.write(ok.replace('\r\n', '\r\nkeep-alive: timeout=60\r\n')),
        async (url, transport, { requests, sockets }) => {
          for (let i = 0; i < 3; i++) {
            await read(await transport.send(request(url)))
            await sleep(20)
          }
          assert.equal(requests.length, 3)
          assert.equal(sockets.length, 1)
          const start = performance.now()
          await once(sockets[0] as Socket, 'close')
          const waited = performance.now() - start
          assert.ok(waited > 150 && waited < ceiling, `closed after ${waited} ms`)
        },
      )
    })

    test('does not take a slow answer or a pause for an idle connection', async () => {
      await withUpstream(
        () => make({ idleTimeoutMs: 100 }),
        async ({ socket }) => {
          await sleep(300)
          socket.write(ok.slice(0, -1))
          await sleep(300)
          socket.write(ok.slice(-1))
        },
        async (url, transport) => {
          const reply = await read(await transport.send(request(url)))
          assert.deepEqual([reply.body, reply.end], ['ok', 'clean'])
        },
      )
    })

    test('lets its idle connection go when the transport is closed', async () => {
      await withUpstream(
        () => make(),
        ({ socket }) => socket.write(ok),
        async (url, transport, { sockets }) => {
          await read(await transport.send(request(url)))
          await sleep(20)
          const closed = once(sockets[0] as Socket, 'close')
          await transport.close()
          await closed
        },
      )
    })
  })
}
