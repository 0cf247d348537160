import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { by, startApi } from '../../support/api.ts'
import { idAt, type Plan } from '../../support/stored-records.ts'

const sample = (ms: number): Plan => ({
  id: idAt(ms),
  ms,
  start: { ...by('ann'), sessionId: `s-${ms}` },
  prompt: 'p',
})

interface Row {
  readonly id: string
}

for (const [path, cursor, rows] of [
  ['interceptions', 'after_id', 'results'],
  ['interceptions?sort=oldest', 'after_id', 'results'],
  ['sessions', 'after_session_id', 'sessions'],
  ['sessions?sort=started', 'after_session_id', 'sessions'],
  ['sessions?sort=oldest', 'after_session_id', 'sessions'],
] as const) {
  test(`${path}: by cursor each row comes once while more arrive`, async (t) => {
    const plans = Array.from({ length: 25 }, (_, index) => sample(1000 + index * 10))
    const api = await startApi(plans)
    t.after(() => api.close())
    const mark = path.includes('?') ? '&' : '?'
    const first = (await api.get(`${path}${mark}limit=1000`)).json[rows].map(({ id }: Row) => id)
    const seen: string[] = []
    let after = ''
    for (let page = 0; page < 5; page++) {
      const { json } = await api.get(`${path}${mark}limit=5${after}`)
      assert.equal(json.count, 25 + page * 2)
      seen.push(...json[rows].map(({ id }: Row) => id))
      after = `&${cursor}=${encodeURIComponent(seen.at(-1) ?? '')}`
      // One before all of them, and one after.
      await api.put(sample(500 - page), sample(5000 + page))
    }
    const old = new Set(first)
    assert.deepEqual(path.includes('oldest') ? seen : seen.filter((id) => old.has(id)), first)
    assert.equal(new Set(seen).size, seen.length)
  })
}

test('threads are paged in both directions', async (t) => {
  const ids = Array.from({ length: 7 }, (_, index) => idAt(index * 10))
  const api = await startApi(
    ids.map((id, index) => ({
      id,
      ms: index * 10,
      start: { ...by('ann'), sessionId: 's' },
      prompt: `${index}`,
    })),
  )
  t.after(() => api.close())
  const promptsOf = async (query: string) => {
    const { json } = await api.get(`sessions/s?${query}`)
    return [
      json.threads.map(({ prompt }: { prompt: string }) => prompt).join(''),
      json.page_started_at,
      json.page_ended_at,
    ]
  }
  assert.deepEqual(await promptsOf(''), [
    '0123456',
    '2026-01-15T10:30:00.000Z',
    '2026-01-15T10:30:01.060Z',
  ])
  assert.deepEqual(await promptsOf('limit=3'), [
    '012',
    '2026-01-15T10:30:00.000Z',
    '2026-01-15T10:30:01.020Z',
  ])
  assert.equal((await promptsOf(`limit=3&after_id=${ids[2]}`))[0], '345')
  assert.equal((await promptsOf(`limit=3&before_id=${ids[6]}`))[0], '345')
  assert.deepEqual(await promptsOf(`after_id=${ids[6]}`), ['', null, null])
})

test('a count that is a guess says so, an exact one nothing', async (t) => {
  const whole = memoryRecorder()
  const store: Store = {
    ...whole,
    interceptions: async (query) => ({ ...(await whole.interceptions(query)), countExact: false }),
    sessions: async (query) => ({ ...(await whole.sessions(query)), countExact: false }),
  }
  const guessing = await startApi([sample(1)], store)
  const exact = await startApi([sample(1)])
  t.after(() => Promise.all([guessing.close(), exact.close()]))
  for (const path of ['interceptions', 'sessions']) {
    assert.equal((await guessing.get(path)).json.count_exact, false)
    assert.ok(!('count_exact' in (await exact.get(path)).json))
  }
})
