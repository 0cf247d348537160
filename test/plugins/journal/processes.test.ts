import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SluiceError } from '../../../src/core/errors.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { wholeInterception } from '../../support/stored-records.ts'
import { filesIn, newFolder, openJournal } from './journals.ts'
import { moodyStore } from './moody-store.ts'

test('kill -9 at any moment loses nothing that was committed', async (t) => {
  const dir = newFolder()
  const path = join(dir, '..', 'sluice.db')
  const ids: string[] = []
  for (const after of [1, 37, 80]) {
    const { child, committed } = await journaling(t, dir, path, after)
    await kill(child)
    ids.push(...committed)
  }
  const store = sqliteRecorder({ path })
  const { journal } = await openJournal(t, store, { dir })
  while (journal.journalRecords > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  for (const id of ids) {
    const stored = await journal.interception(id)
    assert.equal(stored?.toolUsages.length, 1, id)
    assert.equal(stored?.end?.outcome, 'completed')
  }
  assert.equal((await journal.interceptions()).count >= ids.length, true)
  await journal.close()
  assert.deepEqual(filesIn(dir), [])
})

test('a dead process’s journal is taken over, a living one’s is left alone', async (t) => {
  const dir = newFolder()
  const [dead, alive] = await Promise.all([
    journaling(t, dir, 'away', 20),
    journaling(t, dir, 'away', 20),
  ])
  await kill(dead.child)
  const store = moodyStore()
  const { journal, lines } = await openJournal(t, store, { dir, adoptEvery: 20 })
  const taken = () => new Set(store.taken.map(({ interceptionId }) => interceptionId))
  await store.until(() => dead.committed.every((id) => taken().has(id)))
  assert.ok(alive.committed.every((id) => !taken().has(id)))
  assert.equal(lines.filter(({ message }) => /taken over/.test(message)).length, 1)

  await kill(alive.child)
  // Found by the look-around, with no start of anything.
  await store.until(() => alive.committed.every((id) => taken().has(id)))
  await journal.close()
  assert.deepEqual(filesIn(dir), [])
})

test('a torn tail costs what was not committed, and nothing before it', async (t) => {
  const dir = newFolder()
  const { child, committed } = await journaling(t, dir, 'away', 30)
  await kill(child)
  const [log = ''] = readdirSync(dir).filter((name) => name.endsWith('-wal'))
  const path = join(dir, log)
  truncateSync(path, statSync(path).size - 1000)
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir })
  await store.until(() =>
    store.taken.some(({ interceptionId }) => interceptionId === committed[25]),
  )
  await journal.close()
  const ids = new Set(store.taken.map(({ interceptionId }) => interceptionId))
  for (const id of committed.slice(0, 26)) assert.ok(ids.has(id))
})

test('a damaged journal is set aside and told, the others are taken over', async (t) => {
  const dir = newFolder()
  const { child, committed } = await journaling(t, dir, 'away', 5)
  await kill(child)
  writeFileSync(join(dir, 'a~1.journal'), 'Dear diary, '.repeat(1000))
  writeFileSync(join(dir, 'b~1.journal'), '')
  const store = moodyStore()
  const { lines } = await openJournal(t, store, { dir })
  await store.until(() =>
    store.taken.some(({ interceptionId }) => interceptionId === committed.at(-1)),
  )
  assert.ok(readdirSync(dir).includes('a~1.journal.damaged'))
  assert.ok(!readdirSync(dir).includes('b~1.journal'))
  const line = lines.find(({ level }) => level === 'error')
  assert.equal(line?.fields.file, 'a~1.journal.damaged')
})

test('a record that the disk has damaged holds up no other, and is told', async (t) => {
  const dir = newFolder()
  const { child, committed } = await journaling(t, dir, 'away', 5)
  await kill(child)
  const [file = ''] = filesIn(dir)
  const database = new DatabaseSync(join(dir, file))
  const { n: waited } = database.prepare('SELECT count(*) AS n FROM entries').get() ?? {}
  database.exec(`UPDATE entries SET body = substr(body, 5) WHERE position IN (2, 9)`)
  database.close()
  const store = moodyStore()
  const { journal, lines, diagnostics } = await openJournal(t, store, { dir })
  await store.until(() => store.taken.length === Number(waited) - 2)
  assert.ok(store.taken.some(({ interceptionId }) => interceptionId === committed.at(-1)))
  await journal.close()
  assert.deepEqual(filesIn(dir), [])
  const line = lines.find(({ message }) => /damaged/.test(message))
  assert.equal(line?.fields.records, 2)
  assert.match(JSON.stringify(diagnostics.counts()), /journal_damaged/)
})

test('who is erased goes from a journal with damaged records, and so do these', async (t) => {
  const dir = newFolder()
  const { child } = await journaling(t, dir, 'away', 5)
  await kill(child)
  const later = new Date().toISOString()
  const [file = ''] = filesIn(dir)
  const database = new DatabaseSync(join(dir, file))
  database.exec(`UPDATE entries SET body = 'x' || body WHERE position < 4`)
  database.close()
  const store = moodyStore()
  store.record = () => Promise.reject(new SluiceError('away', { code: 'ERR_STORE_AWAY' }))
  const { journal } = await openJournal(t, store, { dir })
  const { interceptions } = await journal.erase({ initiator: 'u-0', before: later })
  assert.ok(interceptions > 0)
  assert.equal(journal.journalRecords, 0)
})

test('an outage is survived with memory flat, and a disk that is small again afterwards', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal } = await openJournal(t, store, { dir })
  const batch = Array.from({ length: 40 }, () => wholeInterception()).flat()
  for (let index = 0; index < 60; index++) await journal.record(batch)
  const grown = journal.journalBytes
  assert.ok(grown > 4_000_000, `${grown}`)
  store.mood = 'up'
  await store.until(() => store.taken.length === 60 * batch.length)
  while (journal.journalRecords > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  while (journal.journalBytes > 100_000) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    await journal.record(batch.slice(0, 1))
  }
  await journal.close()
  assert.deepEqual(filesIn(dir), [])
})

test('a process that forgets to close its journal still ends', async () => {
  const source = new URL('../../../src/plugins/', import.meta.url).href
  const script = `
    import { journaled } from '${source}journal.ts'
    import { memoryRecorder } from '${source}memory-recorder.ts'
    await journaled(memoryRecorder(), { dir: ${JSON.stringify(newFolder())} }).open()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('a copy of a journal is stored again without a record twice', async (t) => {
  const dir = newFolder()
  const { child } = await journaling(t, dir, 'away', 10)
  await kill(child)
  const [name = ''] = filesIn(dir)
  for (const end of ['', '-wal'])
    copyFileSync(join(dir, name + end), join(dir, `copy~1.journal${end}`))
  const store = moodyStore()
  const { journal } = await openJournal(t, store, { dir })
  while (journal.journalRecords > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await journal.close()
  const distinct = new Set(store.taken.map(({ id }) => id)).size
  assert.equal(store.taken.length, 2 * distinct)
  assert.equal((await store.interceptions()).count, distinct / 3)
})

/** A process that journals; resolves when it has committed `count` interceptions. It goes on. */
async function journaling(t: TestContext, dir: string, store: string, count: number) {
  const script = fileURLToPath(new URL('./journaling-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, dir, store], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const committed: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the process that journals ended')))
    createInterface(child.stdout).on('line', (line) => {
      committed.push(line)
      if (committed.length === count) resolve()
    })
  })
  return { child, committed }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
}
