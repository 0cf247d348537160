import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { cutReply } from '../../src/core/cut-reply.ts'

for (const whole of [true, false]) {
  test(`a reply ${whole ? 'whose end' : 'of which something'} a client never takes is cut, and its connection with it`, async (t) => {
    const closed = Promise.withResolvers<void>()
    const server = createServer((request, response) => {
      response.socket?.once('close', () => closed.resolve())
      // More than the kernel holds for a client that reads nothing.
      response.write(Buffer.alloc(32 * 1024 ** 2))
      if (whole) response.end()
      setTimeout(() => cutReply(request, response), 50)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    t.after(() => {
      client.destroy()
      server.closeAllConnections()
      server.close()
    })
    client.on('error', () => {})
    client.pause()
    client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await closed.promise
  })
}
