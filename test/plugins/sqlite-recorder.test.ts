import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { interceptionId } from '../../src/core/ids.ts'
import { processId } from '../../src/core/process-id.ts'
import type { Recorder } from '../../src/core/recorder.ts'
import { sqliteRecorder } from '../../src/plugins/sqlite-recorder.ts'
import { end, start, tool, wholeInterception } from '../support/stored-records.ts'
import { recorderContract } from './recorder-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let stores = 0

function newPath(): string {
  return join(folder, `${stores++}`, 'sluice.db')
}

recorderContract({
  name: 'the SQLite recorder',
  create: () => sqliteRecorder({ path: newPath() }),
})

async function withRecorder(path: string, run: (recorder: Recorder) => Promise<void>) {
  const recorder = sqliteRecorder({ path })
  await recorder.open()
  try {
    await run(recorder)
  } finally {
    await recorder.close()
  }
}

test('what was recorded is there when the file is opened again', async () => {
  const path = newPath()
  const records = wholeInterception()
  await withRecorder(path, (recorder) => recorder.record(records))
  await withRecorder(path, async (recorder) => {
    assert.equal((await recorder.interceptions()).results[0]?.id, records[0]?.interceptionId)
  })
})

test('close waits for the batches that are on their way, then refuses more', async () => {
  const path = newPath()
  const recorder = sqliteRecorder({ path })
  await recorder.open()
  const written = recorder.record(Array.from({ length: 200 }, () => wholeInterception()).flat())
  // A batch is on its way once it was handed over, one turn after the call.
  await new Promise(setImmediate)
  await recorder.close()
  await written
  await assert.rejects(recorder.record(wholeInterception()), { code: 'ERR_STORE_CLOSED' })
  await assert.rejects(recorder.interceptions(), { code: 'ERR_STORE_CLOSED' })
  await withRecorder(path, async (again) => {
    assert.equal((await again.interceptions()).count, 200)
  })
})

test('nobody else can read what the store makes, and git passes it by', async () => {
  const path = newPath()
  await withRecorder(path, async (recorder) => {
    await recorder.record(wholeInterception())
    await recorder.interceptions()
    assert.equal(mode(dirname(path)), 0o700)
    assert.equal(mode(`${path}.processes`), 0o700)
    const files = [path, `${path}-wal`, `${path}-shm`]
    const marks = readdirSync(`${path}.processes`).map((name) => join(`${path}.processes`, name))
    for (const file of [...files, ...marks]) assert.equal(mode(file), 0o600, file)
    assert.equal(marks.length, 1)
    assert.equal(readFileSync(join(dirname(path), '.gitignore'), 'utf8'), '*\n')
  })
  assert.deepEqual(readdirSync(`${path}.processes`), [])
})

test('a folder that was there is left as it is, a file in it is closed to others', async () => {
  const path = newPath()
  mkdirSync(dirname(path), { mode: 0o755 })
  await withRecorder(path, (recorder) => recorder.record(wholeInterception()))
  chmodSync(path, 0o644)
  await withRecorder(path, async () => {})
  assert.equal(mode(dirname(path)), 0o755)
  assert.equal(mode(path), 0o600)
  assert.ok(!existsSync(join(dirname(path), '.gitignore')))
})

function mode(path: string): number {
  return statSync(path).mode & 0o777
}

for (const [what, prepare, code, says] of [
  [
    'a store of a newer schema',
    (path: string) => change(path, 'PRAGMA user_version = 99'),
    'ERR_STORE_SCHEMA',
    /newer Sluice \(schema 99, this one knows \d+\): upgrade Sluice/,
  ],
  [
    'another program’s database',
    (path: string) => change(path, 'PRAGMA application_id = 1; CREATE TABLE theirs (a)'),
    'ERR_STORE_FOREIGN',
    /another program's database: name another file/,
  ],
  [
    'a database with tables that is not ours',
    (path: string) => change(path, 'CREATE TABLE theirs (a)', true),
    'ERR_STORE_FOREIGN',
    /another program's database/,
  ],
  [
    'a file that is no database',
    (path: string) => writeFileSync(path, 'Dear diary, '.repeat(500)),
    'ERR_STORE_FOREIGN',
    /no SQLite database: name another file/,
  ],
  [
    'a folder in the place of the file',
    (path: string) => mkdirSync(path),
    'ERR_STORE_OPEN',
    /cannot be opened: name a file in a folder/,
  ],
] as const) {
  test(`${what} is refused with one clear message`, async () => {
    const path = newPath()
    if (what.startsWith('a store')) await withRecorder(path, async () => {})
    else mkdirSync(dirname(path))
    prepare(path)
    const recorder = sqliteRecorder({ path })
    await assert.rejects(recorder.open(), (error: Error & { code: string }) => {
      assert.equal(error.name, 'SluiceError')
      assert.equal(error.code, code)
      assert.match(error.message, says)
      assert.ok(error.message.includes(path), error.message)
      return true
    })
    await assert.rejects(recorder.record(wholeInterception()), { code })
    await recorder.close()
  })
}

test('a path below a file, and no path at all, are refused', async () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  await assert.rejects(sqliteRecorder({ path: join(file, 'sluice.db') }).open(), {
    code: 'ERR_STORE_OPEN',
  })
  await assert.rejects(sqliteRecorder({ path: ':memory:' }).open(), {
    code: 'ERR_STORE_OPEN',
    message: /memoryRecorder/,
  })
})

test('a store that could not be opened opens once the way is clear', async () => {
  const path = newPath()
  mkdirSync(path, { recursive: true })
  const recorder = sqliteRecorder({ path })
  await assert.rejects(recorder.record(wholeInterception()), { code: 'ERR_STORE_OPEN' })
  rmSync(path, { recursive: true })
  await recorder.record(wholeInterception())
  assert.equal((await recorder.interceptions()).count, 1)
  await recorder.close()
})

function change(path: string, sql: string, fresh = false): void {
  const database = new DatabaseSync(path)
  if (fresh) database.exec('PRAGMA user_version = 1')
  database.exec(sql)
  database.close()
}

test('a record that is no JSON fails its batch alone', async () => {
  await withRecorder(newPath(), async (recorder) => {
    const id = interceptionId()
    const bad = { ...tool(id, 1, 'Bash'), metadata: { big: 1n } }
    await assert.rejects(recorder.record([start(id), bad]), TypeError)
    await recorder.record([start(id), end(id)])
    assert.equal((await recorder.interceptions()).count, 1)
  })
})

test('a batch is written whole or not at all', async () => {
  await withRecorder(newPath(), async (recorder) => {
    const id = interceptionId()
    const bad = { ...tool(id, 2, 'Bash'), createdAt: null as unknown as string }
    await assert.rejects(recorder.record([start(id), end(id), bad]), { name: 'SluiceError' })
    assert.equal(await recorder.interception(id), null)
    await recorder.record(wholeInterception())
    assert.equal((await recorder.interceptions()).count, 1)
  })
})

test('a writer that dies fails the batches that wait; the next one starts another', async () => {
  const workers: Worker[] = []
  const collect = (worker: Worker) => workers.push(worker)
  process.on('worker', collect)
  await withRecorder(newPath(), async (recorder) => {
    process.off('worker', collect)
    const records = wholeInterception()
    const lost = recorder.record(records)
    await Promise.all([
      assert.rejects(lost, { code: 'ERR_STORE_WORKER', message: /died: it ended/ }),
      workers[0]?.terminate(),
    ])
    await recorder.record(records)
    assert.equal((await recorder.interceptions()).count, 1)
  })
})

test('kill -9 loses nothing that was recorded, and what was open ends as aborted', async (t) => {
  const path = newPath()
  const { child, open } = await writing(path, 20)
  t.after(() => child.kill('SIGKILL'))
  const own = interceptionId()
  await withRecorder(path, async (recorder) => {
    await recorder.record([start(own, { processId })])
    assert.equal((await recorder.interception(open))?.end, null, 'its process lives')
  })

  await kill(child)
  await withRecorder(path, async (recorder) => {
    assert.equal((await recorder.interceptions()).count, 21)
    const stored = await recorder.interception(open)
    assert.equal(stored?.toolUsages.length, 1)
    assert.equal(stored?.end?.outcome, 'aborted')
    assert.equal(stored?.end?.reaped, true)
    assert.equal(stored?.end?.durationMs, 1500)
    assert.equal((await recorder.interception(own))?.end, null, 'our own process lives')
    assert.equal(readdirSync(`${path}.processes`).length, 1, 'the dead one’s mark is gone')

    await recorder.record([end(open)])
    assert.equal((await recorder.interception(open))?.end?.outcome, 'completed')
  })
})

test('a process lives as long as any of its recorders does', async () => {
  const path = newPath()
  const [one, two] = [sqliteRecorder({ path }), sqliteRecorder({ path })]
  await Promise.all([one.open(), two.open()])
  const id = interceptionId()
  await one.record([start(id, { processId })])
  await one.close()
  const other = sqliteRecorder({ path, processId: 'another' })
  await other.open()
  assert.equal((await other.interception(id))?.end, null)
  await two.close()
  await other.close()
  await other.open()
  assert.equal((await other.interception(id))?.end?.outcome, 'aborted')
  await other.close()
})

test('several processes make and write one file at once', async (t) => {
  const path = newPath()
  mkdirSync(dirname(path))
  const processes = await Promise.all([writing(path, 100), writing(path, 100), writing(path, 100)])
  t.after(() => processes.map(({ child }) => child.kill('SIGKILL')))
  await withRecorder(path, async (recorder) => {
    assert.equal((await recorder.interceptions({ running: true })).count, 303)
    assert.equal((await recorder.interceptions()).count, 300)
  })
  await Promise.all(processes.map(({ child }) => kill(child)))
})

test('a process that forgets to close its store still ends', async () => {
  const script = `
    import { sqliteRecorder } from ${JSON.stringify(new URL('../../src/plugins/sqlite-recorder.ts', import.meta.url).href)}
    const recorder = sqliteRecorder({ path: ${JSON.stringify(newPath())} })
    await recorder.open()
    await recorder.interceptions()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

/** Starts a process that writes; resolves when it has. */
async function writing(
  path: string,
  count: number,
): Promise<{ child: ChildProcess; open: string }> {
  const script = fileURLToPath(new URL('./sqlite/writing-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, path, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  return { child, open: String(line).trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
