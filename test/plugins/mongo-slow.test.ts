import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import {
  MongoBulkWriteError,
  MongoNetworkTimeoutError,
  MongoOperationTimeoutError,
  MongoServerError,
} from 'mongodb'
import { deadLetters } from '../../src/plugins/journal.ts'
import { storeFault } from '../../src/plugins/mongo/fault.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'
import { told } from '../support/stored-records.ts'
import { testedMongo } from '../support/tested-mongo.ts'
import { newFolder, openJournal } from './journal/journals.ts'
import { slowWay } from './mongo/slow-way.ts'

const kinds = mongoServers()
  .filter(({ survives }) => survives !== 'unknown')
  .slice(0, 1)

test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})

for (const kind of kinds) {
  describe(`a slow way to ${kind.name}`, () => {
    const mongo = testedMongo(kind)

    test('what waits in the journal arrives though a whole batch takes longer than the time limit', async (t) => {
      const way = { bytesPerSecond: 30_000_000 }
      const port = await slowWay(t, Number(new URL(mongo.server.uri).port), way)
      const db = `sluice_test_${randomUUID()}`
      // The driver's limit, not the journal's.
      const url = `mongodb://127.0.0.1:${port}/${db}?directConnection=true&socketTimeoutMS=1000`
      const dir = newFolder()
      const store = mongoRecorder({ url, sweepMs: 3_600_000 })
      const { journal, lines } = await openJournal(t, store, { dir })
      const said = (text: RegExp) => lines.filter(({ message }) => text.test(message)).length
      way.bytesPerSecond = 100_000
      const prompt = 'It is a long way. '.repeat(40)
      const written = Array.from({ length: 100 }, (_, ms) => told({ ms, prompt }))
      await journal.record(written.flat())
      while (said(/takes too long for a batch/) === 0) await pause(20)
      while (journal.journalRecords > 0) await pause(20)
      assert.equal(said(/takes too long for a batch/), 1)
      while (said(/keeps up again/) === 0) await pause(20)
      assert.deepEqual(await deadLetters(dir), [])
      await journal.close()
      const direct = mongoRecorder({ url: mongo.server.uri, db })
      t.after(() => direct.close())
      await direct.open()
      const { records, interceptions, faults } = await direct.verify()
      assert.deepEqual([interceptions, records, faults], [100, written.flat().length, []])
    })

    test('a server that stands still is told as slow, and what it did not take may be tried again', async (t) => {
      const db = `sluice_test_${randomUUID()}`
      const store = mongoRecorder({
        url: `${mongo.server.uri}${db}?directConnection=true&socketTimeoutMS=500`,
        heartbeatMs: 3_600_000,
        sweepMs: 3_600_000,
      })
      await store.open()
      await store.record(told({}))
      mongo.server.freeze()
      t.after(async () => {
        mongo.server.thaw()
        await store.close()
      })
      await assert.rejects(store.record(told({ ms: 1 })), { code: 'ERR_STORE_SLOW', status: 503 })
    })
  })
}

test('whatever runs out of time is told as slow, and no record is suspected', () => {
  const late = { message: 'waiting for replication timed out' }
  const waited = { getWriteConcernError: () => ({ code: 64 }) }
  for (const error of [
    new MongoNetworkTimeoutError('connection 3 timed out'),
    new MongoOperationTimeoutError('Timed out during socket read (100ms)'),
    new MongoServerError({ message: 'operation exceeded time limit', code: 50 }),
    new MongoServerError({ message: 'operation exceeded time limit', code: 262 }),
    new MongoBulkWriteError(late as never, waited as never),
  ])
    assert.equal(storeFault(error, 'a:1').code, 'ERR_STORE_SLOW', error.message)
  for (const error of [
    new MongoOperationTimeoutError('Timed out during server selection'),
    new MongoServerError({ message: 'interrupted at shutdown', code: 11600 }),
  ])
    assert.equal(storeFault(error, 'a:1').code, 'ERR_STORE_AWAY', error.message)
})
