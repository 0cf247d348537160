import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { interceptionId } from '../../src/core/ids.ts'
import { sqliteRecorder } from '../../src/plugins/sqlite-recorder.ts'
import { end, start, tool, wholeInterception } from '../support/stored-records.ts'
import { recorderContract } from './recorder-contract.ts'
import { newPath, withRecorder } from './sqlite/stores.ts'
import { storeContract } from './store-contract.ts'

recorderContract({
  name: 'the SQLite recorder',
  create: () => sqliteRecorder({ path: newPath() }),
})

storeContract({
  name: 'the SQLite recorder',
  // The records' own process: what runs is not ended when the store is opened again.
  create: () => sqliteRecorder({ path: newPath(), processId: 'a-process' }),
  // `sqlite/contract.test.ts` has more of them, without threads.
  histories: 5,
})

test('what was recorded is there when the file is opened again', async () => {
  const path = newPath()
  const records = wholeInterception()
  await withRecorder(path, (recorder) => recorder.record(records))
  await withRecorder(path, async (recorder) => {
    assert.equal((await recorder.interceptions()).results[0]?.id, records[0]?.interceptionId)
  })
})

test('close waits for the batches that are on their way, then refuses more', async () => {
  const path = newPath()
  const recorder = sqliteRecorder({ path })
  await recorder.open()
  const written = recorder.record(Array.from({ length: 200 }, () => wholeInterception()).flat())
  // A batch is on its way once it was handed over, one turn after the call.
  await new Promise(setImmediate)
  await recorder.close()
  await written
  await assert.rejects(recorder.record(wholeInterception()), { code: 'ERR_STORE_CLOSED' })
  await assert.rejects(recorder.interceptions(), { code: 'ERR_STORE_CLOSED' })
  await withRecorder(path, async (again) => {
    assert.equal((await again.interceptions()).count, 200)
  })
})

test('a record that is no JSON fails its batch alone', async () => {
  await withRecorder(newPath(), async (recorder) => {
    const id = interceptionId()
    const bad = { ...tool(id, 1, 'Bash'), metadata: { big: 1n } }
    await assert.rejects(recorder.record([start(id), bad]), TypeError)
    await recorder.record([start(id), end(id)])
    assert.equal((await recorder.interceptions()).count, 1)
  })
})

test('a batch is written whole or not at all', async () => {
  await withRecorder(newPath(), async (recorder) => {
    const id = interceptionId()
    const bad = { ...tool(id, 2, 'Bash'), createdAt: null as unknown as string }
    await assert.rejects(recorder.record([start(id), end(id), bad]), { name: 'SluiceError' })
    assert.equal(await recorder.interception(id), null)
    await recorder.record(wholeInterception())
    assert.equal((await recorder.interceptions()).count, 1)
  })
})

test('a writer that dies fails the batches that wait; the next one starts another', async () => {
  const workers: Worker[] = []
  const collect = (worker: Worker) => workers.push(worker)
  process.on('worker', collect)
  await withRecorder(newPath(), async (recorder) => {
    process.off('worker', collect)
    const records = wholeInterception()
    const lost = recorder.record(records)
    await Promise.all([
      assert.rejects(lost, { code: 'ERR_STORE_WORKER', message: /died: it ended/ }),
      workers[0]?.terminate(),
    ])
    await recorder.record(records)
    assert.equal((await recorder.interceptions()).count, 1)
  })
})
