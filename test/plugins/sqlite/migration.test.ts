import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import type { Store } from '../../../src/core/store.ts'
import { migrate } from '../../../src/plugins/sqlite/migrations.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { idAt, told } from '../../support/stored-records.ts'
import { answersOf, assertAnswers } from '../store-contract/answers.ts'
import { inThreadStore } from './in-thread.ts'
import { oldStore } from './old-store.ts'
import { newPath } from './stores.ts'

/** A thread over a tool call that its process knew nothing of, sessions of two users, one that runs. */
function history(): InterceptionRecord[] {
  const root = idAt(0)
  const session = { clientSessionId: 's', sessionId: 's' }
  return [
    ...told({ id: root, prompt: 'alpha beta', tools: ['Bash'], usages: [{}], start: session }),
    ...told({ ms: 5, start: { correlatingToolCallId: `${root}-2` }, tools: ['Read'] }),
    ...told({ ms: 9, start: { initiatorId: 'u-1', initiatorUsername: 'anna' }, prompt: 'alpha' }),
    ...told({ ms: 11, end: null, prompt: 'still at it' }),
  ]
}

for (const schema of [1, 2, 3]) {
  test(`a file of schema ${schema} answers like one that was written today`, async () => {
    const records = history()
    const [old, fresh] = [newPath(), inThreadStore(newPath())]
    oldStore(old, schema, records)
    await fresh.record(records)
    const store = inThreadStore(old)
    await store.open()
    assertAnswers(await answersOf(store), await answersOf(fresh), `schema ${schema}`)
    const [, child] = (await store.interceptions({ sort: 'oldest' })).results
    assert.equal(child?.start.sessionId, 's', 'links are found that were not there')
    await Promise.all([store.close(), fresh.close()])
  })
}

test('a file of before is indexed beside the traffic, and goes on where it was stopped', async () => {
  const path = newPath()
  oldStore(path, 3, Array.from({ length: 50 }, (_, ms) => told({ ms, prompt: 'alpha' })).flat())
  // Another process that indexes, and has stopped after the newest ones: its right to do so has run out.
  const database = new DatabaseSync(path)
  migrate(database, path)
  const half = database.prepare('SELECT id FROM interceptions ORDER BY id LIMIT 1 OFFSET 24').get()
  const set = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)')
  set.run('backfill', String(half?.id))
  set.run('backfill_lease', JSON.stringify({ owner: 'another', until: Date.now() + 1500 }))
  database.close()
  await using(path, async (store) => {
    await store.record(told({ ms: 100, prompt: 'alpha' }))
    assert.match((await store.verify()).faults.join(), /still being indexed/)
    while ((await store.verify()).faults.join().includes('still')) await delay(50)
    assert.equal((await store.interceptions({ search: 'alpha' })).count, 26)
    await store.reindex()
    assert.equal((await store.interceptions({ search: 'alpha' })).count, 51)
    assert.deepEqual((await store.verify()).faults, [])
  })
})

test('records that the version before named otherwise are found, ended once, and replaced', async () => {
  const path = newPath()
  const root = idAt(0)
  const records = [
    ...told({ id: root, prompt: 'alpha', tools: ['Bash'] }),
    ...told({ ms: 5, start: { correlatingToolCallId: `${root}-2` }, tools: ['Read'] }),
    ...told({ ms: 9, end: null, prompt: 'still at it', start: { processId: 'dead' } }),
  ].map(namedAsBefore)
  oldStore(path, 3, records)
  const fresh = inThreadStore(newPath())
  await using(path, async (store) => {
    const [reaped, child] = (await store.interceptions()).results
    assert.equal(child?.start.threadParentId, root)
    assert.equal(reaped?.end?.reaped, true)
    // What the journal of the version before still had, and a start and an end by this one's name.
    const late = told({ id: reaped?.id ?? '', ms: 9, start: { processId: 'dead' } })
    await store.record(late.map(namedAsBefore))
    await store.record(late.slice(0, 1))
    await store.record([...late.slice(-1), ...records.slice(0, 4)])
    await fresh.record([...records.slice(0, -2), ...late, ...records.slice(-1)])
    assertAnswers(await answersOf(store), await answersOf(fresh), 'delivered again')
    await store.reindex()
    assertAnswers(await answersOf(store), await answersOf(fresh), 'and reindexed')
  })
  await fresh.close()
})

/** Ids of starts and ends were hashes of the interception's id, too. */
function namedAsBefore(record: InterceptionRecord): InterceptionRecord {
  if (record.type !== 'interception_start' && record.type !== 'interception_end') return record
  const hex = hash('sha1', record.interceptionId + record.type)
  return {
    ...record,
    id: `${record.id.slice(0, 15)}${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`,
  }
}

async function using(path: string, run: (store: Store) => Promise<void>): Promise<void> {
  const store = sqliteRecorder({ path, processId: 'a-process' })
  await store.open()
  try {
    await run(store)
  } finally {
    await store.close()
  }
}
