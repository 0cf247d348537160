import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../../src/core/errors.ts'
import type { Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { startApi } from '../../support/api.ts'

const messages = {
  interceptions: 'Internal error getting AI Bridge interceptions.',
  'interceptions/x': 'Internal error getting AI Bridge interceptions.',
  sessions: 'Internal error getting AI Gateway sessions.',
  'sessions/x': 'Internal error fetching session.',
  models: 'Internal error getting AI Gateway models.',
  clients: 'Internal error getting AI Gateway clients.',
  providers: 'Internal error getting AI Gateway providers.',
  stats: 'Internal error getting stats.',
  export: 'Internal error exporting AI Bridge interceptions.',
  stream: 'Internal error streaming AI Bridge interceptions.',
} as const

const asked = [
  'interceptions',
  'interception',
  'sessions',
  'session',
  'values',
  'stats',
  'feed',
] as const

function failing(fault: () => Error): Store {
  const fail = () => Promise.reject(fault())
  return Object.assign(memoryRecorder(), Object.fromEntries(asked.map((name) => [name, fail])))
}

test('a store that fails is a 500 with its words for those who see all', async (t) => {
  const api = await startApi(
    [],
    failing(() => new Error('the disk /srv/x is gone')),
  )
  t.after(() => api.close())
  for (const [path, message] of Object.entries(messages)) {
    const { status, json } = await api.get(path)
    assert.deepEqual([status, json], [500, { message, detail: 'the disk /srv/x is gone' }], path)
    const { text } = await api.get(path, 'bob')
    assert.ok(!text.includes('/srv/x'), path)
  }
  assert.ok(api.log.includes('error the store could not be read'))
})

test('one that is away is a 503, which says when to try again', async (t) => {
  const away = () => new SluiceError('no server at db.internal', { code: 'ERR_STORE_AWAY' })
  const api = await startApi([], failing(away))
  t.after(() => api.close())
  for (const path of Object.keys(messages)) {
    const { status, headers, json } = await api.get(path)
    assert.deepEqual([status, headers.get('retry-after')], [503, '2'], path)
    assert.match(json.message, /^The store is away/)
  }
})

test('an export that breaks midway looks broken', async (t) => {
  const whole = memoryRecorder()
  let pages = 0
  const store: Store = {
    ...whole,
    interceptions: async (query) => {
      if (pages++ > 0) throw new Error('gone')
      return whole.interceptions(query)
    },
  }
  const plans = Array.from({ length: 150 }, (_, ms) => ({ ms }))
  const api = await startApi(plans, store)
  t.after(() => api.close())
  await assert.rejects(api.get('export'))
})
