import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY } from 'rxjs'
import { interceptionId } from '../../src/core/ids.ts'
import type { InterceptionRecord } from '../../src/core/records.ts'
import { deadLetters, journaled, retryDeadLetters } from '../../src/plugins/journal.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { fakeInterception } from '../../src/testing.ts'
import { end, prompt, start, tool, usage, wholeInterception } from '../support/stored-records.ts'
import { filesIn, newFolder, openJournal } from './journal/journals.ts'
import { moodyStore } from './journal/moody-store.ts'
import { recorderContract } from './recorder-contract.ts'

recorderContract({
  name: 'a journal before memoryRecorder',
  create: () => {
    const journal = journaled(memoryRecorder(), { dir: newFolder() })
    // The contract reads what it has just written; behind a journal that is stored a moment later.
    const record = async (records: readonly InterceptionRecord[]) => {
      await journal.record(records)
      while (journal.journalRecords > 0) await new Promise((resolve) => setImmediate(resolve))
    }
    return { ...journal, record }
  },
})

test('a batch is on disk while the store is away, and in the store when it is back', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal, lines } = await openJournal(t, store, { dir })
  assert.equal(journal.durable, true)
  assert.equal(journal.provisional, true)
  const interceptions = Array.from({ length: 100 }, () => wholeInterception())
  for (const records of interceptions) await journal.record(records)
  assert.equal(journal.journalRecords, 800)
  assert.ok(journal.journalBytes > 100_000)
  assert.match(journal.faults?.()[0] ?? '', /^800 records wait in the journal: it is away$/)
  await assert.rejects(journal.interceptions(), { code: 'ERR_STORE_AWAY', status: 503 })

  store.mood = 'up'
  await store.until(() => store.taken.length === 800)
  assert.deepEqual(store.taken, interceptions.flat(), 'all of it, in order')
  await journal.close()
  assert.deepEqual(filesIn(dir), [])
  const said = lines.map(({ level, message }) => [level, message])
  assert.deepEqual(said, [
    ['error', 'moody-store stores nothing, its records wait in the journal'],
    ['info', 'moody-store stores again'],
  ])
})

test('a plugin that only records is made durable, and watches as before', async (t) => {
  const taken: InterceptionRecord[] = []
  const plugin = {
    name: 'own',
    observe: () => [],
    record: (records: readonly InterceptionRecord[]) => void taken.push(...records),
  }
  const journal = journaled(plugin, { dir: newFolder() })
  t.after(() => journal.close())
  assert.equal('interceptions' in journal, false)
  assert.deepEqual([journal.name, journal.durable], ['journaled-own', true])
  assert.deepEqual(journal.observe?.(EMPTY, fakeInterception()), [])
  await journal.open()
  const records = wholeInterception()
  await journal.record(records)
  while (journal.journalRecords > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(taken, records)
})

test('queries go to the store', async (t) => {
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir: newFolder() })
  const records = wholeInterception()
  await journal.record(records)
  await store.until(() => store.taken.length === records.length)
  assert.equal((await journal.interceptions()).count, 1)
  const id = records[0]?.interceptionId ?? ''
  assert.equal((await journal.interception(id))?.id, id)
})

test('a store that hangs holds nobody up and is opened anew', async (t) => {
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir: newFolder(), patience: 50 })
  await store.until(() => store.calls.open === 1)
  store.mood = 'hangs'
  const records = wholeInterception()
  await journal.record(records)
  await store.until(() => store.calls.record > 0 && store.calls.open > 1)
  await journal.record(wholeInterception())
  assert.ok(store.calls.close > 0)
  store.mood = 'up'
  await store.until(() => store.taken.length >= 16)
  assert.deepEqual(store.taken.slice(0, 8), records)
})

test('what a close leaves is there at the next start', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'hangs'
  const { journal } = await openJournal(t, store, { dir })
  const records = wholeInterception()
  await journal.record(records)
  const began = performance.now()
  await journal.close()
  assert.ok(performance.now() - began < 4500, 'a close is bounded')
  assert.equal(filesIn(dir).length, 1)
  await assert.rejects(journal.record(records), { code: 'ERR_STORE_CLOSED' })

  store.mood = 'up'
  await journal.open()
  await store.until(() => store.taken.length === records.length)
  assert.deepEqual(store.taken, records)
  await journal.close()
  assert.deepEqual(filesIn(dir), [])
})

test('a record that the store refuses is set aside, the others are stored', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const { journal, diagnostics, lines } = await openJournal(t, store, { dir })
  const batches = Array.from({ length: 20 }, () => wholeInterception())
  const bad = batches[7]?.[4] as InterceptionRecord
  store.refuses = ({ id }) => id === bad.id
  store.mood = 'away'
  for (const batch of batches) await journal.record(batch)
  store.mood = 'up'
  await store.until(() => store.taken.some(({ id }) => id === batches[19]?.[7]?.id))
  await journal.close()
  const ids = new Set(store.taken.map(({ id }) => id))
  assert.equal(ids.size, 159)
  assert.ok(!ids.has(bad.id))
  const [letter, ...more] = await deadLetters(dir)
  assert.deepEqual(letter?.record, bad)
  assert.equal(letter?.error, 'a record is refused')
  assert.equal(more.length, 0)
  assert.equal(diagnostics.total('records_dropped', { reason: 'dead_letter' }), 1)
  const line = lines.find(({ message }) => /refuses a record/.test(message))
  assert.equal(line?.fields.id, bad.id)
  assert.equal(statSync(join(dir, 'dead-letter.ndjson')).mode & 0o777, 0o600)

  const again = await retryDeadLetters(dir, store)
  assert.deepEqual([again.stored, again.left.length], [0, 1])
  store.mood = 'away'
  assert.equal((await retryDeadLetters(dir, store)).left.length, 1)
  store.mood = 'up'
  store.refuses = () => false
  // A kill amid a line leaves half of one.
  writeFileSync(join(dir, 'dead-letter.ndjson'), '{"setAsideAt":', { flag: 'a' })
  assert.deepEqual(await retryDeadLetters(dir, store), { stored: 1, left: [] })
  assert.deepEqual(await deadLetters(dir), [])
  assert.equal(store.taken.at(-1)?.id, bad.id)
})

test('a lone bad record waits for proof that the store is well', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const id = interceptionId()
  const bad = tool(id, 1, 'Bash')
  store.refuses = (record) => record.id === bad.id
  const { journal } = await openJournal(t, store, { dir })
  await journal.record([bad])
  await store.until(() => store.calls.record > 6)
  assert.deepEqual(await deadLetters(dir), [])
  await journal.record([end(id)])
  await store.until(() => store.taken.length > 0)
  await journal.close()
  assert.equal((await deadLetters(dir)).length, 1)
})

test('a record that is refused with its witness stored later takes no final figure back', async (t) => {
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir: newFolder() })
  const id = interceptionId()
  store.mood = 'away'
  store.refuses = ({ type }) => type === 'tool_usage'
  await journal.record([start(id), usage(id, { seq: 1, outputTokens: 1 }), tool(id, 2, 'Bash')])
  await journal.record([usage(id, { seq: 1, outputTokens: 50 }), tool(id, 3, 'Read'), end(id)])
  store.mood = 'up'
  await store.until(() => store.taken.some(({ type }) => type === 'interception_end'))
  await journal.close()
  const stored = await store.interception(id)
  assert.equal(stored?.tokenUsages[0]?.outputTokens, 50)
})

test('the folder is its owner’s alone, and git passes it by', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal } = await openJournal(t, store, { dir })
  await journal.record(wholeInterception())
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  assert.ok(readdirSync(dirname(dir)).includes('.gitignore'))
  const files = readdirSync(dir)
  assert.ok(files.some((name) => name.endsWith('.journal-wal')))
  for (const name of files) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name)
})

test('a folder that cannot be written is told at the start', async () => {
  const dir = newFolder()
  mkdirSync(dirname(dir), { recursive: true })
  writeFileSync(dir, '')
  const journal = journaled(moodyStore(), { dir })
  await assert.rejects(journal.open(), (error: Error & { code: string }) => {
    assert.equal(error.code, 'ERR_JOURNAL_OPEN')
    assert.ok(error.message.includes(dir), error.message)
    return true
  })
  await journal.close()
  chmodSync(dir, 0o600)
})

test('whatever fails in between, the store has every record in the end, each in order', async () => {
  const steps = fc.array(
    fc.constantFrom(
      'write',
      'write',
      'write',
      'away',
      'up',
      'hangs',
      'reopen',
      'refuse',
    ) as fc.Arbitrary<'write' | 'away' | 'up' | 'hangs' | 'reopen' | 'refuse'>,
    { minLength: 5, maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const dir = newFolder()
      const store = moodyStore()
      const journal = journaled(store, { dir, backOff: [1, 4], patience: 15 })
      await journal.open()
      const written: InterceptionRecord[] = []
      const bad = new Set<string>()
      store.refuses = ({ id }) => bad.has(id)
      for (const step of script) {
        if (step === 'write') {
          const id = interceptionId()
          const batch = [
            start(id),
            prompt(id, step),
            usage(id, { seq: 2, outputTokens: 7 }),
            end(id),
          ]
          written.push(...batch)
          await journal.record(batch)
        } else if (step === 'reopen') {
          if (store.mood === 'hangs') store.mood = 'away'
          await journal.close()
          await journal.open()
        } else if (step === 'refuse') {
          const id = interceptionId()
          const poison = tool(id, 1, 'Bash')
          bad.add(poison.id)
          await journal.record([poison, end(id)])
        } else store.mood = step
      }
      store.mood = 'up'
      await journal.record([end(interceptionId())])
      while (journal.journalRecords > 0) await new Promise((resolve) => setTimeout(resolve, 1))
      await journal.close()
      const firsts = [...new Map(store.taken.map((record) => [record.id, record])).keys()]
      const expected = written.map(({ id }) => id)
      const kept = new Set(expected)
      assert.deepEqual(new Set(firsts.filter((id) => kept.has(id))), kept)
      assert.deepEqual(new Set((await deadLetters(dir)).map(({ record }) => record.id)), bad)
      assert.deepEqual(filesIn(dir), [])
    }),
    { numRuns: 15 },
  )
})
