import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Reply, Transport } from '../../../src/core/upstream.ts'
import { request, transports, withUpstream } from '../../support/transports.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

for (const [name, make] of Object.entries(transports)) {
  describe(`the ${name} transport's memory`, { timeout: 30_000 }, () => {
    test('holds no request body once the reply has begun', async () => {
      await withUpstream(
        () => make(),
        ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
        async (url, transport) => {
          const [reply, body] = await sendMebibyte(transport, url)
          for (let i = 0; i < 20 && body.deref(); i++) {
            await turn()
            collect()
          }
          // Not `equal`: its message would print a million numbers.
          assert.ok(body.deref() === undefined, 'the body is still held')
          reply.body.on('error', () => {}).destroy()
        },
      )
    })
  })
}

/** In a function of its own, so that no variable of the test keeps the body. */
async function sendMebibyte(transport: Transport, url: URL): Promise<[Reply, WeakRef<Uint8Array>]> {
  const body = new Uint8Array(1024 * 1024)
  const kept = new WeakRef(body)
  return [await transport.send(request(url, { body })), kept]
}
