import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { at, idAt, told } from '../../support/stored-records.ts'
import { newPath } from './stores.ts'

const hers = { initiatorId: 'user-of-annabelle', initiatorUsername: 'annabelle' }
const secrets = [
  'Zebrafish',
  'Quokka',
  'Axolotl',
  'Narwhal',
  'Annabelle',
  'her-own-model',
  'old-secret',
]

test('nothing of an erased user can be read in the files, also of what was pruned before', async () => {
  const path = newPath()
  const store = sqliteRecorder({ path, processId: 'a-process' })
  await store.open()
  for (let ms = 0; ms < 300; ms++) {
    const mine = ms % 3 === 0
    await store.record(
      told({
        id: idAt(ms),
        ms,
        start: mine ? { ...hers, model: 'her-own-model' } : {},
        prompt: mine ? (ms < 60 ? 'Old-secret ' : 'Zebrafish ').repeat(40) : 'something else',
        tools: [{ tool: mine ? 'mcp__quokka' : 'Bash', input: mine ? '{"a":"axolotl"}' : '{}' }],
        thoughts: mine ? ['a narwhal thinks'.repeat(30)] : ['nothing'],
      }),
    )
  }
  await store.prune({ before: at(60) })
  assert.ok(holds(path, 'Zebrafish') && holds(path, 'annabelle'), 'they were there')
  const { interceptions } = await store.erase({ initiator: 'annabelle' })
  assert.equal(interceptions, 80)
  for (const secret of secrets)
    assert.ok(!holds(path, secret), `"${secret}" is still to be read while the store is open`)
  assert.equal((await store.interceptions({ search: 'something' })).count, 160)
  assert.deepEqual((await store.verify()).faults, [])
  await store.close()
  for (const secret of secrets) assert.ok(!holds(path, secret), `"${secret}" is still to be read`)
})

function holds(path: string, text: string): boolean {
  return [path, `${path}-wal`, `${path}-shm`]
    .filter((file) => existsSync(file))
    .some((file) => readFileSync(file, 'latin1').toLowerCase().includes(text.toLowerCase()))
}
