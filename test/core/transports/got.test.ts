import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test } from 'node:test'
import got from 'got'
import { gotTransport } from '../../../src/core/transports/got.ts'
import { endToEnd, fault, read, request, withUpstream } from '../../support/transports.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

test("a got instance's hooks change the header list, and leave the rest of it as it was", async () => {
  const instance = got.extend({
    hooks: {
      beforeRequest: [
        ({ headers }) => {
          headers['x-added'] = ['1', '2']
          headers['x-changed'] = 'new'
          delete headers['x-gone']
        },
      ],
    },
  })
  await withUpstream(
    () => gotTransport({ got: instance }),
    ({ socket }) => socket.write(ok),
    async (url, transport, { requests }) => {
      const headers = ['X-Gone', '1', 'X-Kept', '1', 'X-Changed', 'old', 'x-kept', '2']
      await read(await transport.send(request(url, { headers })))
      assert.ok(requests[0])
      assert.deepEqual(endToEnd(requests[0]), [
        ...['X-Kept', '1', 'x-kept', '2'],
        ...['x-changed', 'new', 'x-added', '1', 'x-added', '2'],
      ])
    },
  )
})

test("a got instance's own settings cannot make it retry, follow, decode or throw", async () => {
  const instance = got.extend({
    retry: { limit: 3, methods: ['POST', 'GET'] },
    followRedirect: true,
    throwHttpErrors: true,
    timeout: { response: 50, socket: 50, request: 50 },
  })
  await withUpstream(
    () => gotTransport({ got: instance }),
    ({ socket }) =>
      setTimeout(() => {
        socket.write(
          'HTTP/1.1 503 No\r\nretry-after: 0\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n',
        )
      }, 150),
    async (url, transport, { requests }) => {
      const reply = await read(await transport.send(request(url)))
      assert.deepEqual([reply.status, reply.end, requests.length], [503, 'clean', 1])
    },
  )
})

test('a got instance keeps an agent of its own', async () => {
  const agent = new Agent({ keepAlive: true })
  agent.createConnection = () => {
    throw new Error('by the agent')
  }
  const transport = gotTransport({ got: got.extend({ agent: { http: agent } }) })
  const { message } = await fault(transport.send(request(new URL('http://127.0.0.1:1/'))))
  assert.match(message, /by the agent/)
})
