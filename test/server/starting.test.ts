import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readConfig } from '../../src/server/config.ts'
import { serve } from '../../src/server/serve.ts'
import { freePort } from '../support/free-port.ts'
import { routes } from '../support/questions.ts'

test('while the store opens each route is told to wait in its own shape, and the process lives', async (t) => {
  const gateway = await startLocked()
  t.after(() => gateway.stop())
  const message = /^Sluice is starting: /
  for (const prefix of ['', '/api/v2/aibridge', '/api/v2/ai-gateway']) {
    const { error, type } = await gateway.refused(prefix + routes.messages.path)
    assert.deepEqual([type, error.type], ['error', 'overloaded_error'])
    assert.match(error.message, message)
    for (const { path } of [routes.chat, routes.responses]) {
      const { error } = await gateway.refused(prefix + path)
      assert.deepEqual([error.type, error.param, error.code], ['server_error', null, 'overloaded'])
      assert.match(error.message, message)
    }
  }
  assert.equal((await gateway.refused('/anthropic/v1/models')).type, 'error')
  for (const path of ['/api/v2/aibridge/interceptions', '/api/v2/users', '/metrics', '/nothing']) {
    const json = await gateway.refused(path)
    assert.deepEqual(Object.keys(json), ['message'], path)
    assert.match(json.message, message)
  }
  assert.deepEqual(await gateway.refused('/readyz'), { status: 'starting', faults: [] })
  const alive = await fetch(`${gateway.url}/healthz`)
  assert.deepEqual([alive.status, await alive.json()], [200, { status: 'ok' }])
  // As ever: what a page of another origin asks is its own fault.
  const foreign = await fetch(`${gateway.url}/readyz`, { headers: { origin: 'https://evil.test' } })
  assert.equal(foreign.status, 403)

  await gateway.unlock()
  const ready = await fetch(`${gateway.url}/readyz`)
  assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ok', faults: [] }])
})

test('a large body that nobody reads yet costs the client neither the answer nor its connection', async (t) => {
  const gateway = await startLocked()
  t.after(() => gateway.stop())
  const body = JSON.stringify({ model: 'm', messages: 'x'.repeat(4 * 1024 ** 2) })
  const reply = await fetch(gateway.url + routes.messages.path, { method: 'POST', body })
  assert.equal(reply.status, 503)
  assert.equal(((await reply.json()) as { type: string }).type, 'error')
  await gateway.unlock()
})

/** A gateway whose store another program holds: it has its port and waits for the file. */
async function startLocked() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-starting-'))
  const path = join(folder, 'sluice.db')
  const other = new DatabaseSync(path)
  other.exec('BEGIN EXCLUSIVE; CREATE TABLE locked (a)')
  const port = await freePort()
  const config = readConfig({ env: {}, folder, flags: { port, store: `sqlite:${path}` } })
  const listening = Promise.withResolvers<void>()
  const serving = serve(config, { log: () => {}, beforeOpen: listening.resolve })
  await Promise.race([listening.promise, serving])
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    refused: async (path: string) => {
      const post = path.includes('/v1/') && !path.endsWith('models')
      const reply = await fetch(url + path, post ? { method: 'POST', body: '{}' } : {})
      assert.equal(reply.status, 503, path)
      assert.equal(reply.headers.get('retry-after'), '1', path)
      // biome-ignore lint/suspicious/noExplicitAny: whatever came.
      return (await reply.json()) as any
    },
    unlock: async () => {
      if (other.isOpen) {
        other.exec('ROLLBACK')
        other.close()
      }
      await serving
    },
    stop: async () => {
      if (other.isOpen) other.close()
      await (await serving).stop()
    },
  }
}
