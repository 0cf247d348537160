import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { interceptionId } from '../../../src/core/ids.ts'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import { JournalFile } from '../../../src/plugins/journal/journal-file.ts'
import { JournalFolder } from '../../../src/plugins/journal/journal-folder.ts'
import { end, prompt, start, wholeInterception } from '../../support/stored-records.ts'
import { filesIn, newFolder, openJournal } from './journals.ts'
import { type MoodyStore, moodyStore } from './moody-store.ts'

test('what waits survives that somebody removes the folder, also if the process is killed then', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal, lines } = await openJournal(t, store, { dir })
  const [before, after] = [wholeInterception(), wholeInterception()]
  await journal.record(before)
  rmSync(dir, { recursive: true })
  await journal.record(after)
  assert.deepEqual(
    lines
      .filter(({ message }) => /somebody removed/.test(message))
      .map(({ fields }) => fields.records),
    [before.length],
  )
  // What the next process would find.
  const found = newFolder()
  cpSync(dir, found, { recursive: true })
  assert.deepEqual(await stored(t, found), [...before, ...after])
  store.mood = 'up'
  await store.until(() => store.taken.length === 16)
  assert.deepEqual(store.taken, [...before, ...after])
})

test('a removed folder holds up nobody where nothing more comes', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal } = await openJournal(t, store, { dir })
  const records = wholeInterception()
  await journal.record(records)
  rmSync(dir, { recursive: true })
  store.mood = 'up'
  await store.until(() => store.taken.length === records.length)
})

test('a folder that may not be entered any more holds up nobody', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal } = await openJournal(t, store, { dir, adoptEvery: 10 })
  const written = [wholeInterception(), wholeInterception(), wholeInterception()]
  await journal.record(written[0] ?? [])
  const isRoot = process.geteuid?.() === 0
  chmodSync(dir, 0o000)
  // Root may enter all the same.
  if (isRoot) process.seteuid?.(65_534)
  try {
    await journal.record(written[1] ?? [])
    store.mood = 'up'
    await store.until(() => store.taken.length === 16)
    await journal.record(written[2] ?? [])
    await store.until(() => store.taken.length === 24)
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(dir, 0o700)
  }
  assert.deepEqual(store.taken, written.flat())
})

for (const when of ['of a dead process', 'that is being shipped'] as const) {
  test(`of a journal ${when} that is damaged in its middle all is stored that can be read`, async (t) => {
    const { dir, store, journal, lines, written, name } = await longJournal(t)
    const path = join(dir, name)
    let said = lines
    if (when === 'of a dead process') {
      // As the system would for one that is killed.
      await journal.close()
      damage(path)
      const opened = await openJournal(t, store, { dir })
      said = opened.lines
    } else damage(path)
    store.mood = 'up'
    while (!said.some(({ message }) => /is damaged and was set aside/.test(message))) await pause(5)
    const taken = () => new Set(store.taken.map(({ id }) => id))
    await store.until(() => taken().has(written.at(-1)?.id ?? ''))
    const lost = written.filter(({ id }) => !taken().has(id)).length
    assert.ok(lost < 60, `${lost} of ${written.length} are lost`)
    assert.deepEqual(
      readdirSync(dir).filter((each) => /\.damaged$/.test(each)),
      [`${name}.damaged`],
    )
    const line = said.find(({ message }) => /is damaged/.test(message))
    assert.equal(line?.fields.file, `${name}.damaged`)
    assert.ok(Number(line?.fields.records) > 0)
  })
}

for (const when of ['of a dead process', 'that is being shipped'] as const) {
  test(`of a journal ${when} that lost its end all before it is stored`, async (t) => {
    const { dir, store, journal, lines, written, name } = await longJournal(t)
    let said = lines
    const cut = () => truncateSync(join(dir, name), statSync(join(dir, name)).size / 2)
    if (when === 'of a dead process') {
      await journal.close()
      cut()
      said = (await openJournal(t, store, { dir })).lines
    } else cut()
    store.mood = 'up'
    while (!said.some(({ message }) => /is damaged and was set aside/.test(message))) await pause(5)
    const quarter = written.slice(0, written.length / 4)
    const isThere = () => {
      const taken = new Set(store.taken.map(({ id }) => id))
      return quarter.every(({ id }) => taken.has(id))
    }
    if (!isThere()) await store.until(isThere)
  })
}

test('a file that cannot be opened holds up no other, and is told once', async (t) => {
  const dir = newFolder()
  const away = moodyStore()
  away.mood = 'away'
  const before = await openJournal(t, away, { dir })
  const records = wholeInterception()
  await before.journal.record(records)
  await before.journal.close()
  mkdirSync(join(dir, '0~odd.journal'))
  const store = moodyStore()
  const { lines } = await openJournal(t, store, { dir, adoptEvery: 5 })
  await store.until(() => store.taken.length === records.length)
  await pause(30)
  const said = lines.filter(({ message }) => /cannot be opened/.test(message))
  assert.deepEqual(
    said.map(({ fields }) => fields.file),
    ['0~odd.journal'],
  )
})

test('on a full disk a journal opens and ships what waits', async (t) => {
  const dir = newFolder()
  const away = moodyStore()
  away.mood = 'away'
  const before = await openJournal(t, away, { dir })
  await before.journal.record(wholeInterception())
  await before.journal.close()
  const source = new URL('../../../', import.meta.url).href
  const script = `
    import { journaled } from '${source}src/plugins/journal.ts'
    import { memoryRecorder } from '${source}src/plugins/memory-recorder.ts'
    import { end } from '${source}test/support/stored-records.ts'
    const memory = memoryRecorder()
    const journal = journaled(memory, { dir: ${JSON.stringify(dir)} })
    await journal.open()
    while ((await memory.interceptions()).count === 0) await new Promise((go) => setTimeout(go, 5))
    const refused = await journal.record([end('an-id')]).then(() => 'taken', ({ code }) => code)
    await journal.close()
    console.log(refused)`
  // No file may grow: nothing can be written.
  const { stdout, stderr } = spawnSync(
    'sh',
    [
      '-c',
      'trap "" XFSZ; ulimit -f 0; exec "$0" --input-type=module -e "$1"',
      process.execPath,
      script,
    ],
    { encoding: 'utf8', timeout: 60_000 },
  )
  assert.match(stdout, /^ERR_STORE_(FULL|IO)\n$/, stderr)
  assert.deepEqual(filesIn(dir), [])
})

test('what a full journal gave up is told also where the disk fails then', async (t) => {
  const path = newFolder()
  const folder = new JournalFolder({ path, name: 'own', maxBytes: 2 * 1024 ** 2 })
  t.after(() => folder.close())
  const rows = () =>
    talkative(30_000).map(
      (record) => [record.type === 'prompt_usage' ? 0 : 1, JSON.stringify(record)] as const,
    )
  while (folder.bytes < 1_700_000) folder.append(rows())
  const { append } = JournalFile.prototype
  let calls = 0
  t.mock.method(
    JournalFile.prototype,
    'append',
    function (this: JournalFile, ...args: Parameters<typeof append>) {
      if (++calls === 2) throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
      return append.apply(this, args)
    },
  )
  const shed = folder.append(Array.from({ length: 12 }, rows).flat())
  assert.ok(shed.stripped > 0)
  assert.equal(shed.fault?.code, 'ERR_STORE_IO')
})

/** A journal of a store that is away, with more than fits into SQLite's cache and its log. */
async function longJournal(t: TestContext) {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal, lines } = await openJournal(t, store, { dir, maxBytes: 64 * 1024 ** 2 })
  const written: InterceptionRecord[] = []
  for (let count = 0; count < 30; count++) {
    const batch = Array.from({ length: 60 }, () => talkative(6000)).flat()
    written.push(...batch)
    await journal.record(batch)
  }
  const [name = ''] = filesIn(dir)
  return { dir, store, journal, lines, written, name }
}

function talkative(length: number): InterceptionRecord[] {
  const id = interceptionId()
  return [start(id), prompt(id, 'word '.repeat(length / 5)), end(id)]
}

/** Overwrites three pages in the middle of a file. */
function damage(path: string): void {
  const file = openSync(path, 'r+')
  const middle = Math.trunc(statSync(path).size / 2 / 4096) * 4096
  writeSync(file, Buffer.alloc(3 * 4096, 0xff), 0, 3 * 4096, middle)
  closeSync(file)
}

/** What a process that finds the folder stores. */
async function stored(t: TestContext, dir: string): Promise<readonly InterceptionRecord[]> {
  const store: MoodyStore = moodyStore()
  const { journal } = await openJournal(t, store, { dir })
  while (journal.journalRecords > 0) await pause(5)
  await journal.close()
  return store.taken
}
