import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { endId, interceptionId } from '../../src/core/ids.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'
import { end, start } from '../support/stored-records.ts'
import { filesIn, newFolder, openJournal } from './journal/journals.ts'

const [kind] = mongoServers()

test('who is known to be dead is not waited for: what it left open ends at once', {
  skip: needs('mongo', kind !== undefined),
}, async (t) => {
  const server = await kind?.start()
  const url = server?.uri ?? ''
  const db = `sluice_test_${randomUUID()}`
  const dying = mongoRecorder({ url, db, processId: 'dying' })
  const other = mongoRecorder({ url, db, processId: 'other' })
  t.after(async () => {
    await Promise.all([dying.close(), other.close()])
    await server?.remove()
  })
  await dying.open()
  await other.open()
  const id = interceptionId()
  await dying.record([start(id, { processId: 'dying' })])
  await other.reap?.([])
  assert.equal((await other.interception(id))?.end, null, 'its last sign of life is fresh')
  await other.reap?.(['dying'])
  assert.equal((await other.interception(id))?.end?.outcome, 'aborted')
})

test('what a dead process left in the journal is stored before the rest is ended', async (t) => {
  const dir = newFolder()
  const store = memoryRecorder()
  const away = {
    ...store,
    record: () => Promise.reject(Object.assign(new Error(), { code: 'ECONNRESET' })),
  }
  const survivor = await openJournal(t, { ...store, reap }, { dir, processId: 'survivor' })
  const dying = await openJournal(t, away, { dir, processId: 'dying' })
  const id = interceptionId()
  await dying.journal.record([start(id, { processId: 'dying' }), { ...end(id), id: endId(id) }])
  await dying.journal.close()
  const asked: string[] = []
  async function reap(processIds: readonly string[]): Promise<void> {
    asked.push(...processIds)
    assert.equal((await store.interception(id))?.end?.outcome, 'completed')
  }

  await survivor.journal.reap?.(['dying'])
  assert.deepEqual(asked, ['dying'])
  assert.equal(filesIn(dir).length, 1, 'its file is taken over and gone')
})
