import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import type { Store } from '../../../src/core/store.ts'
import { deadLetters, journaled } from '../../../src/plugins/journal.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { at, idAt, prompt, told } from '../../support/stored-records.ts'
import { storeContract } from '../store-contract.ts'
import { newFolder, openJournal } from './journals.ts'
import { moodyStore } from './moody-store.ts'

storeContract({
  name: 'a journal before memoryRecorder',
  histories: 5,
  create: (): Store => {
    const journal = journaled(memoryRecorder(), { dir: newFolder() })
    // The contract reads what it has just written; behind a journal that is stored a moment later.
    const record = async (records: readonly InterceptionRecord[]) => {
      await journal.record(records)
      while (journal.journalRecords > 0) await new Promise((resolve) => setImmediate(resolve))
    }
    return { ...journal, record }
  },
})

const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }

/** All that the folder's files hold. */
function onDisk(dir: string): string {
  return readdirSync(dir)
    .map((name) => readFileSync(join(dir, name), 'latin1'))
    .join('\n')
}

test('who is erased is erased from a journal that is not delivered, and stays so', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir })
  const [stored, waiting, his] = [idAt(0), idAt(1), idAt(2)]
  const first = told({ id: stored, start: anna, prompt: 'her first secret' })
  await journal.record(first)
  await store.until(() => store.taken.length === first.length)

  store.mood = 'away'
  await journal.record([
    ...told({ id: waiting, ms: 1, start: anna, prompt: 'her other secret' }),
    ...told({ id: his, ms: 2, start: ben, prompt: 'his own words' }),
  ])
  await journal.record([prompt(stored, 'late words of hers')])
  assert.match(onDisk(dir), /her other secret/)

  const report = await journal.erase({ initiator: 'anna' })
  assert.deepEqual(report, { interceptions: 2, initiatorIds: ['u-1'] })
  assert.doesNotMatch(onDisk(dir), /her other secret/)
  assert.match(onDisk(dir), /his own words/)

  store.mood = 'up'
  await store.until(() => store.taken.some(({ interceptionId }) => interceptionId === stored))
  await store.until(() => store.taken.some(({ interceptionId }) => interceptionId === his))
  const { results } = await journal.interceptions({ running: true })
  assert.deepEqual(
    results.map(({ id }) => id),
    [his],
  )
  assert.equal((await journal.verify()).records, 3)
})

test('an initiator of whom only the journal knows is erased by name', async (t) => {
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir: newFolder() })
  await store.until(() => store.calls.open > 0)
  store.mood = 'away'
  const records = told({ start: anna, prompt: 'a secret' })
  await journal.record(records)
  assert.deepEqual(await journal.erase({ initiator: 'anna' }), {
    interceptions: 1,
    initiatorIds: ['u-1'],
  })
  assert.equal(journal.journalRecords, 0)
  store.mood = 'up'
  await journal.record([...records, ...told({ start: ben })])
  await store.until(() => store.taken.length > 0)
  assert.deepEqual(await journal.values({ of: 'initiator' }), ['ben'])
})

test('letters of who is erased go, whose start is stored too, and those of others stay', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir })
  const [hers, his, alone] = [idAt(0), idAt(1), idAt(2)]
  store.refuses = ({ type, interceptionId }) => type === 'prompt_usage' || interceptionId === alone
  await journal.record([
    ...told({ id: hers, start: anna, prompt: 'her secret' }),
    ...told({ id: his, ms: 1, start: ben, prompt: 'his words' }),
    ...told({ id: alone, ms: 2, start: anna, prompt: 'another' }),
  ])
  while (journal.journalRecords > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await deadLetters(dir)).length, 5)
  await journal.erase({ initiator: 'u-1' })
  const left = await deadLetters(dir)
  assert.deepEqual(
    left.map(({ record }) => record.interceptionId),
    [his],
  )
  assert.doesNotMatch(onDisk(dir), /her secret/)
})

test('what is pruned goes from the journal and the letters, content as well', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir })
  const [refusedOld, refusedNew] = [idAt(5), idAt(105)]
  store.refuses = ({ interceptionId, type }) =>
    type === 'prompt_usage' && [refusedOld, refusedNew].includes(interceptionId)
  await journal.record([
    ...told({ id: refusedOld, ms: 5, prompt: 'old letter' }),
    ...told({ id: refusedNew, ms: 105, prompt: 'newer letter' }),
  ])
  while (journal.journalRecords > 0) await new Promise((resolve) => setImmediate(resolve))
  store.mood = 'away'
  const [old, middle, young] = [idAt(0), idAt(100), idAt(200)]
  for (const [id, ms] of [
    [old, 0],
    [middle, 100],
    [young, 200],
  ] as const)
    await journal.record(told({ id, ms, prompt: `words of ${ms}`, usages: [{}] }))

  await journal.prune({ before: at(50), contentBefore: at(150), dryRun: true })
  assert.match(onDisk(dir), /old letter/)
  await journal.prune({ before: at(50), contentBefore: at(150) })
  const held = onDisk(dir)
  for (const text of [/old letter/, /newer letter/, /words of 0/, /words of 100/])
    assert.doesNotMatch(held, text)
  assert.match(held, /words of 200/)
  const left = (await deadLetters(dir)).map(({ record }) => record)
  assert.deepEqual(
    left.map(({ interceptionId, truncated }) => [interceptionId, truncated]),
    [[refusedNew, ['prompt', 'rawPrompt']]],
  )
  store.mood = 'up'
  await store.until(() => store.taken.some(({ interceptionId }) => interceptionId === young))
  const { results } = await journal.interceptions()
  assert.deepEqual(
    results.map(({ id, userPrompts }) => [id, userPrompts[0]?.prompt]),
    [
      [young, 'words of 200'],
      [refusedNew, undefined],
      [middle, ''],
    ],
  )
})
