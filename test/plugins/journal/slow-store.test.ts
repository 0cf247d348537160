import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../src/core/errors.ts'
import { isStoreFault } from '../../../src/core/store-fault.ts'
import { deadLetters } from '../../../src/plugins/journal.ts'
import { wholeInterception } from '../../support/stored-records.ts'
import { newFolder, openJournal } from './journals.ts'
import { moodyStore } from './moody-store.ts'

test('a store too slow for a batch gets smaller ones, in order, and whole ones when it keeps up', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal, lines } = await openJournal(t, store, { dir, patience: 100 })
  const written = Array.from({ length: 400 }, () => wholeInterception())
  for (let from = 0; from < 400; from += 40)
    await journal.record(written.slice(from, from + 40).flat())
  lines.length = 0
  store.batches.length = 0
  store.pace = 2
  store.mood = 'up'
  await store.until(() => store.taken.length >= 200)
  assert.deepEqual(store.batches.slice(0, 4), [300, 150, 75, 37])
  // A larger one is tried now and then; on a busy machine 37 may be too many as well.
  assert.ok(store.batches.slice(4).every((records) => records <= 74))
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message.replace(/:.*/, '')]),
    [
      ['error', 'moody-store takes too long for a batch'],
      ['info', 'moody-store stores again'],
    ],
  )
  assert.equal(lines[0]?.fields.records, 300)

  store.pace = 0
  await store.until(() => new Set(store.taken.map(({ id }) => id)).size === 3200)
  assert.ok(store.batches.slice(4).includes(300), 'whole batches again')
  const firsts = [...new Map(store.taken.map((record) => [record.id, record])).keys()]
  assert.deepEqual(
    firsts,
    written.flat().map(({ id }) => id),
  )
  await journal.close()
  assert.deepEqual(
    lines.slice(2).map(({ level, message }) => [level, message]),
    [['info', 'moody-store keeps up again']],
  )
  assert.deepEqual(await deadLetters(dir), [])
})

test('a record that alone is too much for a slow store waits, and is not set aside', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal, diagnostics } = await openJournal(t, store, { dir })
  const written = [wholeInterception(), wholeInterception()].flat()
  await journal.record(written)
  const { record } = store
  const heavy = written[4]?.id
  let tries = 0
  store.record = async (records) => {
    if (records.some(({ id }) => id === heavy) && ++tries < 12)
      throw new SluiceError('it takes too long', { code: 'ERR_STORE_SLOW' })
    await record(records)
  }
  store.mood = 'up'
  await store.until(() => store.taken.length === written.length)
  assert.deepEqual(store.taken, written)
  assert.equal(tries, 12)
  assert.equal(store.batches[0], 4, 'what comes before it is stored')
  assert.equal(diagnostics.total('records_dropped', { reason: 'dead_letter' }), 0)
})

test('what ran out of time anywhere on the way is the store’s fault', () => {
  const late = AbortSignal.timeout(0)
  const error = new Error('late')
  error.name = 'TimeoutError'
  for (const each of [
    error,
    late.reason ?? error,
    Object.assign(new Error(), { code: 'ETIMEDOUT' }),
  ])
    assert.ok(isStoreFault(each))
  assert.ok(!isStoreFault(new Error('a record is refused')))
})
