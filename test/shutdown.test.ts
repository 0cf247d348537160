import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Plugin } from '../src/core/plugin.ts'
import { startGateway } from './support/gateway.ts'
import { routes } from './support/questions.ts'
import { openCall, rawCall } from './support/raw-client.ts'

const { path, ask } = routes.messages

test('a shutdown ends drains first: no client waits for them', async () => {
  const gateway = await startGateway({ disconnect: 'drain' })
  try {
    gateway.upstream.next({ stall: 3 })
    const call = openCall(gateway.port, { path, body: { ...ask, stream: true }, keep: true })
    await call.until((body) => body.length > 0)
    call.socket.destroy()
    await once(call.socket, 'close')
    const { ended } = await gateway.upstream.request(0)
    const begin = performance.now()
    await gateway.gateway.drain(30_000)
    assert.ok(performance.now() - begin < 10_000)
    assert.equal(await ended, 'gone')
    const { end } = await gateway.ended(0)
    assert.deepEqual([end.outcome, end.drained], ['client_gone', false])
  } finally {
    await gateway.close()
  }
})

test('a start that cannot be stored alarms, and the request goes on', async () => {
  const fails: Plugin = {
    name: 'fails',
    durable: true,
    record: () => Promise.reject(new Error('no room')),
  }
  const gateway = await startGateway({ plugins: [fails], commitWait: 100 })
  try {
    const { status, headers } = await rawCall(gateway.port, { path, body: ask })
    assert.equal(status, 200)
    const { diagnostics } = gateway.gateway
    assert.ok(diagnostics.total('plugin_errors', { plugin: 'fails' }) > 0)
    assert.equal(diagnostics.total('commit_wait_missed'), 1)
    assert.ok(gateway.log.includes('error: recorder fails failed: no room'))
    assert.ok(gateway.log.includes('error: released unrecorded'))
    assert.ok(headers.includes('x-sluice-interception-id'))
    assert.match(gateway.gateway.faults().join(), /released unrecorded/)
  } finally {
    await gateway.close()
  }
})
