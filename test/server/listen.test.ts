import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { listen } from '../../src/server/listen.ts'

test('a request with large and many headers comes in, and one with a long body is given its time', async () => {
  const { server, url } = await listen({
    host: '127.0.0.1',
    port: 0,
    onRequest: ({ rawHeaders }, response) => response.end(`${rawHeaders.length}`),
    onUpgrade: () => false,
  })
  try {
    const many = Array(1500).fill(['a', 'b']).flat()
    const headers = ['host', 'localhost', 'x-large', 'y'.repeat(40_000), ...many]
    const answer = await new Promise<string>((resolve, reject) => {
      const asked = request(url, { headers, agent: false }, async (reply) =>
        resolve(Buffer.concat(await reply.toArray()).toString()),
      )
      asked.on('error', reject).end()
    })
    assert.ok(Number(answer) >= headers.length, answer)
    assert.ok(server.requestTimeout > 30 * 60_000)
    assert.ok(server.headersTimeout > 0 && server.headersTimeout <= 60_000)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
