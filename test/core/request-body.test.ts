import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { readRequestBody } from '../../src/core/request-body.ts'

test('a request that was read holds on to nothing of its body while the reply goes on', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const reply = fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: 'x'.repeat(200_000) })
  const [request, response] = (await once(server, 'request')) as [IncomingMessage, { end(): void }]
  const before = listeners(request)

  const { bytes } = await readRequestBody(request, undefined, 1_000_000)

  assert.equal(bytes.length, 200_000)
  // The body is read by listeners, and these are all that could keep it.
  assert.deepEqual(listeners(request), { ...before, error: before.error + 1 })
  response.end()
  await (await reply).bytes()
})

function listeners(request: IncomingMessage) {
  const count = (event: string) => request.listenerCount(event)
  return { data: count('data'), end: count('end'), close: count('close'), error: count('error') }
}
