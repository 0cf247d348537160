import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endId, startId } from '../../../src/core/ids.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { damageFile } from '../../plugins/sqlite/damage-file.ts'
import { newPath } from '../../plugins/sqlite/stores.ts'
import { by, startApi } from '../../support/api.ts'
import { at, idAt } from '../../support/stored-records.ts'

test('a damaged record costs no answer but itself: the detail names it', async (t) => {
  const id = idAt(1)
  const path = newPath()
  const session = { ...by('bob'), clientSessionId: 's', sessionId: 's' }
  const api = await startApi(
    [
      { id, ms: 1, start: session, prompt: 'one', tools: ['Bash'], usages: [{}] },
      { ms: 2, start: session, prompt: 'two', usages: [{}] },
    ],
    sqliteRecorder({ path }),
  )
  t.after(() => api.close())
  const damaged = [startId(id), endId(id)].map((each) => `'${each}'`).join(', ')
  damageFile(path, `UPDATE records SET body = '{' WHERE id IN (${damaged})`)
  damageFile(path, `UPDATE records SET body = x'00' WHERE type = 'tool_usage'`)

  const { json: list } = await api.get('interceptions')
  assert.equal(list.count, 2)
  const row = list.results.at(-1)
  assert.deepEqual(
    [row.id, row.initiator, row.model, row.session_id, row.started_at, row.outcome, row.ended_at],
    [id, { id: 'u-bob', username: 'bob' }, 'claude-sonnet-4-5', 's', at(1), 'completed', at(1001)],
  )
  assert.ok(row.truncated.includes('httpStatus'))

  const { json: detail } = await api.get(`interceptions/${id}`)
  assert.deepEqual(
    detail.records.map((record: Record<string, unknown>) => [
      record.record_type,
      record.damaged_type,
    ]),
    [
      ['damaged', 'interception_start'],
      ['damaged', 'tool_usage'],
      ['damaged', 'interception_end'],
    ],
  )
  assert.equal(detail.user_prompts[0].prompt, 'one')
  assert.deepEqual(detail.tool_usages, [])
  assert.equal((await api.get('sessions')).json.count, 1)
  assert.equal((await api.get('sessions/s')).json.threads.length, 2)
  assert.equal((await api.get('interceptions?search=two')).json.count, 1)
  assert.equal((await api.get('export')).text.trimEnd().split('\n').length, 2)
  const told = api.log.filter((line) => line.startsWith('error'))
  assert.equal(told.length, 1, told.join('\n'))
  assert.match(told[0] ?? '', new RegExp(`interception ${id} .* are damaged and left out`))
})
