import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStore } from '../../../src/server/store.ts'
import { by } from '../../support/api.ts'
import { eventStream } from '../../support/event-stream.ts'
import { startGateway, workFolder } from '../../support/gateway-process.ts'
import { told } from '../../support/stored-records.ts'

test('the stream of one process tells what another one recorded', async (t) => {
  const folder = workFolder()
  // What is told here is old.
  const flags = ['--store', `sqlite:${folder}/s.db`, '--retention', '0']
  const gateway = await startGateway(flags, { folder })
  t.after(() => gateway.stop('SIGKILL'))
  const stream = await eventStream(`${gateway.url}/api/v2/aibridge/stream`)
  t.after(() => stream.leave())
  const store = await createStore({ store: `sqlite:${folder}/s.db`, sqliteSynchronous: 'normal' })
  await store.open()
  const records = told({ start: by('ann'), prompt: 'from elsewhere' })
  await store.record(records)
  const { event, data, id: place } = await stream.next()
  assert.equal(event, 'interception')
  assert.equal(JSON.parse(data).id, records[0].interceptionId)
  // Also to who comes back, and was away while the process was another one.
  const more = told({ ms: 10, start: by('bob') })
  await store.record(more)
  await store.close()
  assert.equal(await gateway.stop(), 0)
  const next = await startGateway(flags, { folder })
  t.after(() => next.stop('SIGKILL'))
  const again = await eventStream(`${next.url}/api/v2/aibridge/stream`, {
    'last-event-id': place ?? '',
  })
  assert.equal(JSON.parse((await again.next()).data).id, more[0].interceptionId)
  const began = performance.now()
  assert.equal(await next.stop(), 0)
  // A stream that is open does not hold up the end.
  assert.ok(performance.now() - began < 10_000)
  assert.equal((await again.next()).event, 'end')
})
