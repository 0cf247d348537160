import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { recordReader } from '../../../src/plugins/sqlite/record-reader.ts'
import { end, start, wholeInterception } from '../../support/stored-records.ts'
import { newPath, withRecorder } from './stores.ts'

test('a store of before annotations could be filtered by is brought up to date', async () => {
  const path = newPath()
  const records = wholeInterception({ annotations: { repo: 'sluice', issue: '4' } })
  await withRecorder(path, async (recorder) => {
    await recorder.record(records)
    await recorder.record(wholeInterception({ annotations: {} }))
  })
  change(path, (database) => {
    for (const name of ['repo', 'branch', 'issue']) {
      database.exec(`DROP INDEX interceptions_by_${name}`)
      database.exec(`ALTER TABLE interceptions DROP COLUMN ${name}`)
    }
    database.exec('PRAGMA user_version = 2')
  })
  await withRecorder(path, async (recorder) => {
    for (const [annotations, count] of [
      [{ repo: 'sluice' }, 1],
      [{ repo: 'sluice', issue: '4' }, 1],
      [{ branch: 'main' }, 0],
    ] as const)
      assert.equal((await recorder.interceptions({ annotations })).count, count)
    assert.equal((await recorder.interceptions()).count, 2)
  })
})

test('a list by an annotation reads an index, in order, and not the table', async () => {
  const path = newPath()
  await withRecorder(path, (recorder) => recorder.record([start('a'), end('a')]))
  const database = new DatabaseSync(path, { readOnly: true })
  const asked: string[] = []
  const spied = {
    exec: (sql: string) => database.exec(sql),
    prepare: (sql: string) => {
      asked.push(sql)
      return database.prepare(sql)
    },
  } as DatabaseSync
  const { page } = recordReader(spied)
  const before = asked.length
  for (const name of ['repo', 'branch', 'issue']) {
    asked.length = before
    const annotations = { [name]: 'sluice' }
    page({ limit: 1, offset: 0, initiator: undefined, annotations, running: false })
    for (const sql of asked.slice(before)) {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(sql.includes('$limit') ? { value0: 'x', limit: 1, offset: 0 } : { value0: 'x' })
        .map(({ detail }) => String(detail))
        .join('\n')
      assert.match(plan, new RegExp(`COVERING INDEX interceptions_by_${name} \\(${name}=\\?`))
      assert.doesNotMatch(plan, /TEMP B-TREE/)
    }
    assert.equal(asked.length, before + 2)
  }
  database.close()
})

function change(path: string, run: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(path)
  run(database)
  database.close()
}
