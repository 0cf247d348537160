import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import Koa from 'koa'
import { SluiceError } from '../../src/core/errors.ts'
import { createGateway } from '../../src/core/gateway.ts'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { routes } from '../support/questions.ts'

for (const fault of [
  new Error('/secret/place is away'),
  new SluiceError('/secret/place is no place', { code: 'ERR_STORE_OPEN' }),
]) {
  test(`while a durable plugin can’t be opened (${fault.name}), requests get 503 as their clients parse it`, async () => {
    const upstream = await fakeUpstream()
    let broken = true
    const store = memoryRecorder()
    const open = async () => {
      if (broken) throw fault
    }
    const log: string[] = []
    const gateway = createGateway({
      providers: [anthropic({ baseUrl: upstream.url }), openai({ baseUrl: upstream.url })],
      initiator: () => 'alice',
      plugins: [{ ...store, durable: true, open }],
      log: (level, message) => log.push(`${level}: ${message}`),
    })
    const server = createServer(new Koa().use(gateway.middleware()).callback())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk' }
    const ask = ({ path, ask }: (typeof routes)[keyof typeof routes]) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(ask),
      })
    try {
      for (const route of [routes.messages, routes.chat, routes.responses]) {
        const reply = await ask(route)
        const body = (await reply.json()) as { type?: string; error: { message: string } }
        assert.equal(reply.status, 503)
        assert.equal(reply.headers.get('retry-after'), '1')
        assert.equal(body.type, route === routes.messages ? 'error' : undefined)
        assert.match(body.error.message, /not ready.*try again/)
        assert.doesNotMatch(JSON.stringify(body), /secret/)
      }
      const models = await fetch(`http://127.0.0.1:${port}/openai/v1/models`, { headers })
      assert.equal(models.status, 503)
      await models.body?.cancel()
      assert.equal(gateway.diagnostics.total('refused', { reason: 'not_ready' }), 4)
      assert.equal(gateway.diagnostics.total('refused'), 4)
      assert.equal(log.filter((line) => line.includes('/secret/place')).length, 4)
      assert.equal(upstream.requests.length, 0)

      broken = false
      const reply = await ask(routes.chat)
      assert.equal(reply.status, 200)
      await reply.text()
    } finally {
      server.close()
      server.closeAllConnections()
      await gateway.close()
      await upstream.close()
    }
  })
}
