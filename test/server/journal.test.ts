import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { fakeUpstream } from '../../src/testing.ts'
import { filesIn } from '../plugins/journal/journals.ts'
import { freePort } from '../support/free-port.ts'
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts'
import { mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'

const [kind] = mongoServers().filter(({ survives }) => survives !== 'unknown')

test('a gateway whose Mongo is away starts, serves, holds no reply up, and says so', async (t) => {
  const upstream = await fakeUpstream()
  t.after(() => upstream.close())
  const gateway = await startGateway([
    ...['--openai-base-url', upstream.url, '--require-recording'],
    ...['--store', `mongodb://127.0.0.1:${await freePort()}/?serverSelectionTimeoutMS=500`],
  ])
  t.after(() => gateway.child.kill('SIGKILL'))
  await gateway.line(/mongo-recorder stores nothing, its records wait in the journal/)
  const began = performance.now()
  assert.equal((await ask(gateway)).status, 200)
  assert.equal((await ask(gateway)).status, 200)
  assert.ok(performance.now() - began < 1500)
  const ready = await fetch(`${gateway.url}/readyz`)
  assert.equal(ready.status, 200)
  const { faults } = (await ready.json()) as { faults: string[] }
  assert.match(faults[0] ?? '', /^\d+ records wait in the journal: .*cannot be reached/)
  assert.doesNotMatch(gateway.output().stderr, /released unrecorded|has no journal/)
  assert.equal(await gateway.stop(), 0)
  assert.equal(filesIn(join(gateway.folder, 'sluice-data', 'journal')).length, 1)
})

test('what a client received is in Mongo in the end, though it was away and the gateway was killed', {
  skip: needs('mongo', kind !== undefined),
}, async (t) => {
  const server = await kind?.start()
  assert.ok(server)
  t.after(() => server.remove())
  const upstream = await fakeUpstream()
  t.after(() => upstream.close())
  await server.end('stop')
  const args = ['--openai-base-url', upstream.url, '--store', `${server.uri}journal_test`]
  const first = await startGateway(args)
  t.after(() => first.child.kill('SIGKILL'))
  const ids: string[] = []
  for (let index = 0; index < 5; index++) ids.push((await ask(first)).id)
  const killed = once(first.child, 'exit')
  first.child.kill('SIGKILL')
  await killed

  await server.restart()
  const second = await startGateway(args, { folder: first.folder })
  t.after(() => second.child.kill('SIGKILL'))
  ids.push((await ask(second)).id)
  await stored(t, `${server.uri}journal_test`, ids)
  assert.equal(await second.stop(), 0)
  assert.deepEqual(filesIn(join(first.folder, 'sluice-data', 'journal')), [])
})

test('who is erased from another machine is gone from this one’s journal within seconds', {
  skip: needs('mongo', kind !== undefined),
}, async (t) => {
  const server = await kind?.start()
  assert.ok(server)
  t.after(() => server.remove())
  const upstream = await fakeUpstream()
  t.after(() => upstream.close())
  const store = `${server.uri}erase_test`
  const gateway = await startGateway(['--openai-base-url', upstream.url, '--store', store])
  t.after(() => gateway.child.kill('SIGKILL'))
  const { id } = await ask(gateway)
  await stored(t, store, [id])
  const dir = join(gateway.folder, 'sluice-data', 'journal')
  const held = () =>
    readdirSync(dir).some((name) => readFileSync(join(dir, name), 'latin1').includes(id))
  assert.ok(held(), 'what was delivered is still in the file')
  const recorder = mongoRecorder({ url: store })
  t.after(() => recorder.close())
  await recorder.open()
  const initiator = (await recorder.interception(id))?.start.initiatorId ?? ''
  await recorder.erase({ initiator })
  const began = performance.now()
  while (held()) await pause(20)
  assert.ok(performance.now() - began < 20_000)
  assert.equal(await gateway.stop(), 0)
})

/** Resolves when each has its end in the store. */
async function stored(t: TestContext, url: string, ids: readonly string[]): Promise<void> {
  const recorder = mongoRecorder({ url })
  t.after(() => recorder.close())
  await recorder.open()
  const left = new Set(ids)
  while (left.size > 0) {
    for (const id of left) {
      const found = await recorder.interception(id)
      if (found?.end?.outcome === 'completed' && found.tokenUsages.length === 1) left.delete(id)
    }
  }
}

async function ask({ url }: GatewayProcess): Promise<{ status: number; id: string }> {
  const response = await fetch(`${url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
  })
  await response.text()
  return {
    status: response.status,
    id: response.headers.get('x-sluice-interception-id') ?? '',
  }
}
