import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { wholeInterception } from '../../support/stored-records.ts'
import { newPath, withRecorder } from './stores.ts'

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
    /cannot be opened: .* is a folder: name a file in it/,
  ],
  [
    'a pipe in the place of the file',
    (path: string) => execFileSync('mkfifo', ['-m', '644', path]),
    'ERR_STORE_OPEN',
    /cannot be opened: .* is no ordinary file/,
  ],
] as const) {
  test(`${what} is refused with one clear message`, async () => {
    const path = newPath()
    if (what.startsWith('a store')) await withRecorder(path, async () => {})
    else mkdirSync(dirname(path))
    prepare(path)
    const rights = mode(path)
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
    if (!statSync(path).isFile()) assert.equal(mode(path), rights)
  })
}

test('a path below a file, and no path at all, are refused', async () => {
  const file = newPath()
  mkdirSync(dirname(file))
  writeFileSync(file, '')
  await assert.rejects(sqliteRecorder({ path: join(file, 'sluice.db') }).open(), {
    code: 'ERR_STORE_OPEN',
    message: new RegExp(`${file} is no folder`),
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
