import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { at, told } from '../../support/stored-records.ts'
import { answersOf, assertAnswers } from '../store-contract/answers.ts'
import { inThreadStore } from './in-thread.ts'
import { newPath } from './stores.ts'

test('after kill -9 between any two writes, of a prune too, what is derived is that of the records', async (t) => {
  const path = newPath()
  for (const after of [30, 80, 150]) {
    const script = fileURLToPath(new URL('./busy-process.ts', import.meta.url))
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await delay(after)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    const store = inThreadStore(path)
    await store.open()
    const answers = await answersOf(store)
    await store.reindex()
    assertAnswers(await answersOf(store), answers, `killed after ${after} ms`)
    await store.close()
  }
})

test('one process at a time prunes, until it has been silent for long', async () => {
  const path = newPath()
  const store = inThreadStore(path)
  await store.open()
  await store.record(told({}))
  const lease = (until: number) => {
    const database = new DatabaseSync(path)
    database
      .prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)')
      .run('lease', JSON.stringify({ owner: 'another process', until }))
    database.close()
  }
  lease(Date.now() + 60_000)
  const busy = { interceptions: 0, contents: 0, done: false, busy: true }
  assert.deepEqual(await store.prune({ before: at(5) }), busy)
  lease(Date.now() - 1)
  const done = { interceptions: 1, contents: 0, done: true }
  assert.deepEqual(await store.prune({ before: at(5) }), done)
  await store.close()
})

test('limits that one process sets hold for another that has the file open', async () => {
  const path = newPath()
  const [one, two] = [inThreadStore(path), inThreadStore(path)]
  await one.open()
  await two.open()
  const hers = { initiatorId: 'u-1', initiatorUsername: 'anna', model: 'm-1' }
  await two.record(told({ start: hers, prompt: 'alpha' }))
  await one.prune({ before: at(0), contentBefore: at(5) })
  await one.erase({ initiator: 'u-1', before: at(9) })
  await two.record(told({ ms: -5 }))
  await two.record(told({ ms: 9, start: hers }))
  await two.record(told({ ms: 3, prompt: 'alpha' }))
  // The numbers of her names are free again: another's must not be taken for hers.
  await two.record(told({ ms: 20, start: { ...hers, model: 'm-2' }, tools: ['Read'] }))
  assert.deepEqual(await two.values({ of: 'model' }), ['claude-sonnet-4-5', 'm-2'])
  const { results } = await two.interceptions()
  assert.deepEqual(
    results.map(({ start, userPrompts }) => [start.model, userPrompts[0]?.prompt]),
    [
      ['m-2', undefined],
      ['claude-sonnet-4-5', ''],
    ],
  )
  assert.deepEqual((await one.verify()).faults, [])
  await one.close()
  await two.close()
})
