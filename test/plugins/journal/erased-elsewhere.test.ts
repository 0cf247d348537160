import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { SluiceError } from '../../../src/core/errors.ts'
import { deadLetters } from '../../../src/plugins/journal.ts'
import { end, idAt, prompt, start, told, tool } from '../../support/stored-records.ts'
import { filesIn, newFolder, openJournal } from './journals.ts'
import { moodyStore } from './moody-store.ts'

const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }

/** All that the folder's files hold; some go while they are read. */
function onDisk(dir: string): string {
  return readdirSync(dir)
    .map((name) => {
      try {
        return readFileSync(join(dir, name), 'latin1')
      } catch {
        return ''
      }
    })
    .join('\n')
}

async function gone(dir: string, words: RegExp): Promise<void> {
  while (words.test(onDisk(dir))) await pause(10)
}

test('who is erased by another program goes from a running journal’s disk, and nothing of others', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const { journal, diagnostics, lines } = await openJournal(t, store, { dir, forgetEvery: 10 })
  const [stored, letter, waiting, his] = [idAt(0), idAt(1), idAt(2), idAt(3)]
  store.refuses = ({ type, interceptionId }) => type === 'tool_usage' && interceptionId === letter
  await journal.record([
    ...told({ id: letter, ms: 1, start: anna, tools: [{ tool: 'Bash', input: 'set aside' }] }),
    start(stored, anna),
  ])
  while (journal.journalRecords > 0) await pause(5)
  assert.equal((await deadLetters(dir)).length, 1)

  store.mood = 'away'
  await journal.record([
    // Nothing that waits says whose these are.
    prompt(stored, 'late words of hers'),
    ...told({ id: waiting, ms: 2, start: anna, prompt: 'her secret' }),
    ...told({ id: his, ms: 3, start: ben, prompt: 'his own words' }),
  ])
  assert.match(onDisk(dir), /late words of hers/)
  assert.match(onDisk(dir), /her secret/)

  await store.erase({ initiator: 'anna' })
  await gone(dir, /late words of hers|her secret|set aside/)
  assert.match(onDisk(dir), /his own words/)
  // Of one that still runs more comes.
  await journal.record([tool(stored, 2, 'Bash'), prompt(stored, 'even later words'), end(stored)])
  await journal.record(told({ ms: 5, start: anna, prompt: 'words of before' }))
  assert.doesNotMatch(onDisk(dir), /even later words|words of before/)
  assert.ok(diagnostics.total('records_dropped', { reason: 'forgotten' }) >= 10)
  assert.ok(lines.some(({ message }) => /went from the journal/.test(message)))
  assert.doesNotMatch(JSON.stringify(lines), /anna|u-1/)

  store.mood = 'up'
  store.taken.length = 0
  await store.until(() => store.taken.length === 3)
  assert.ok(store.taken.every(({ interceptionId }) => interceptionId === his))
  // What she does from now on is recorded as ever.
  const later = told({ id: idAt(1e12), ms: 1e12, start: anna })
  await journal.record(later)
  await store.until(() => store.taken.length === 3 + later.length)
})

test('what was delivered of them long ago is not left in the file either', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir, forgetEvery: 10 })
  const hers = Array.from({ length: 50 }, (_, ms) =>
    told({ ms, start: anna, prompt: 'delivered words '.repeat(400) }),
  )
  await journal.record(hers.flat())
  while (journal.journalRecords > 0) await pause(5)
  assert.match(onDisk(dir), /delivered words/)
  await store.erase({ initiator: 'anna' })
  await gone(dir, /delivered words/)
})

test('also from the files of dead processes, more than are held at a time', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  for (let count = 0; count < 12; count++) {
    const { journal } = await openJournal(t, store, { dir, forgetEvery: 3_600_000 })
    const stored = idAt(count)
    await journal.record([
      ...told({ ms: 100 + count, start: anna, prompt: `her secret ${count}` }),
      ...told({ id: stored, ms: count, start: ben, prompt: `his words ${count}` }),
    ])
    // Each of its own, however many another has taken over.
    await journal.close()
  }
  assert.ok(filesIn(dir).length >= 12, `${filesIn(dir).length}`)
  const shared = moodyStore()
  const { record } = shared
  shared.record = () => Promise.reject(new SluiceError('away', { code: 'ERR_STORE_AWAY' }))
  const { journal } = await openJournal(t, shared, { dir, forgetEvery: 10 })
  await shared.erase({ initiator: 'u-1' })
  await gone(dir, /her secret/)
  const left = onDisk(dir)
  for (let count = 0; count < 12; count++)
    assert.ok(left.includes(`his words ${count}`), `${count}`)
  shared.record = record
  await shared.until(() => new Set(shared.taken.map(({ id }) => id)).size === 36)
  await journal.close()
  assert.deepEqual(filesIn(dir), [])
})

test('an erase that failed midway does not stand in for the next one', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir, forgetEvery: 3_600_000 })
  await store.until(() => store.calls.open > 0)
  store.mood = 'away'
  await journal.record([
    prompt(idAt(0), 'of nobody known'),
    ...told({ ms: 1, start: anna, prompt: 'her secret' }),
    ...told({ ms: 2, start: ben, prompt: 'his secret' }),
  ])
  const { erasures } = store
  store.erasures = () => Promise.reject(new SluiceError('away', { code: 'ERR_STORE_AWAY' }))
  await assert.rejects(journal.erase({ initiator: 'anna' }), { code: 'ERR_STORE_AWAY' })
  assert.ok(erasures)
  store.erasures = erasures
  const report = await journal.erase({ initiator: 'ben' })
  assert.deepEqual(report.initiatorIds, ['u-2'])
  assert.doesNotMatch(onDisk(dir), /his secret/)
})

test('nothing begins a journal anew that is closed', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const before = await openJournal(t, store, { dir })
  await before.journal.record(told({ start: ben }))
  await before.journal.close()
  const { journal } = await openJournal(t, store, { dir })
  const reaping = journal.reap?.(['a-process'])
  const ended = assert.rejects(async () => reaping, { code: 'ERR_STORE_CLOSED' })
  await journal.close()
  await ended
  assert.equal(filesIn(dir).length, 1)
})
