import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import type { InterceptionQuery } from '../../../src/core/recorder.ts'
import type { Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { jsonPieces } from '../../../src/server/api/json-pieces.ts'
import { by, startApi } from '../../support/api.ts'
import { idAt } from '../../support/stored-records.ts'

test('a list of a thousand large ones is read in pages that fit into memory, each row once', async (t) => {
  const { store, queries } = watched()
  const api = await startApi(large(300, 200_000), store)
  t.after(() => api.close())
  const { status, json } = await api.get('interceptions?limit=1000')
  assert.equal(status, 200)
  assert.equal(json.count, 300)
  const ids = json.results.map(({ id }: { id: string }) => id)
  const { results } = await store.interceptions({ limit: 1000 })
  assert.ok(ids.join() === results.map(({ id }) => id).join())
  assert.ok(queries.length > 3)
  // 16 MiB of texts, which take two bytes a letter.
  for (const { limit = 0 } of queries.slice(1, -2)) assert.ok(limit <= 100, `${limit} rows at once`)
})

test('a limit ends a list amid a page, and offsets and cursors hold over pages', async (t) => {
  const { store } = watched()
  const api = await startApi(large(260, 10), store)
  t.after(() => api.close())
  const idsOf = async (query: string) =>
    (await api.get(`interceptions?${query}`)).json.results.map(({ id }: { id: string }) => id)
  const all = await idsOf('limit=1000')
  assert.equal(all.length, 260)
  assert.deepEqual(await idsOf('limit=137'), all.slice(0, 137))
  assert.deepEqual(await idsOf('limit=150&offset=30'), all.slice(30, 180))
  assert.deepEqual(await idsOf(`limit=200&after_id=${all[9]}`), all.slice(10, 210))
  assert.deepEqual(await idsOf('limit=137&sort=oldest'), all.toReversed().slice(0, 137))
})

test('what is erased while a long list is told leaves no gap and no double', async (t) => {
  const { store, queries } = watched()
  // Newest first the first page ends with the only one of bob's.
  const plans = large(250, 10).map((plan, at) =>
    at === 150 ? { ...plan, start: by('bob') } : plan,
  )
  const api = await startApi(plans, store)
  t.after(() => api.close())
  const all = (await store.interceptions({ limit: 1000 })).results
  assert.equal(all[99]?.start.initiatorId, 'u-bob')
  const { interceptions } = store
  store.interceptions = async (query = {}) => {
    if (query.after === all[99]?.id) await store.erase({ initiator: 'u-bob' })
    return interceptions(query)
  }
  const { json } = await api.get('interceptions?limit=1000')
  assert.deepEqual(
    json.results.map(({ id }: { id: string }) => id),
    all.map(({ id }) => id),
  )
  assert.ok(queries.some(({ startedBefore }) => startedBefore !== undefined))
})

test('a reader of a long list that stalls holds up the store’s pages', async (t) => {
  const { store, queries } = watched()
  const api = await startApi(large(400, 200_000), store)
  t.after(() => api.close())
  const asked = request(`${api.url}/interceptions?limit=1000`, {
    headers: { 'x-user': 'ann' },
    agent: false,
  }).end()
  const [reply] = (await once(asked, 'response')) as [IncomingMessage]
  reply.on('error', () => {}).pause()
  let last = -1
  while (last !== queries.length) {
    last = queries.length
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.ok(queries.length <= 4, `${queries.length} pages`)
  asked.destroy()
})

test('a store that fails is told by a status, and midway by an answer without its end', async (t) => {
  const { store, queries } = watched()
  const api = await startApi(large(300, 20_000), store)
  t.after(() => api.close())
  const { interceptions } = store
  let from = 0
  store.interceptions = (query) => {
    if (queries.length >= from) throw new Error('the disk is gone')
    return interceptions(query)
  }
  assert.equal((await api.get('interceptions?limit=1000')).status, 500)
  from = queries.length + 1
  const broken = fetch(`${api.url}/interceptions?limit=1000`, { headers: { 'x-user': 'ann' } })
  await assert.rejects(broken.then((reply) => reply.text()))
})

test('JSON in pieces is JSON as ever', () => {
  const values: unknown[] = [
    { count: 0, results: [] },
    {
      a: undefined,
      list: [{ b: [{ c: 'é "\\ \u2028' }], d: undefined }, 1, null, undefined, [{}]],
    },
    [[], [1, 2], [{ a: [] }]],
    'text',
    null,
  ]
  for (const value of values) assert.equal([...jsonPieces(value)].join(''), JSON.stringify(value))
})

test('a list that is made later is told as it is made, and as JSON as ever', () => {
  let made = 0
  const later = {
    *[Symbol.iterator]() {
      for (; made < 3; made++) yield { number: made, inner: [{ a: 1 }] }
    },
  }
  const pieces = jsonPieces({ head: 1, later, none: new Set(), tail: [2] })
  let text = ''
  for (const piece of pieces) {
    text += piece
    const told = text.split('"number"').length - 1
    assert.ok(made <= told, `${made} were made, and ${told} told`)
  }
  const now = [0, 1, 2].map((number) => ({ number, inner: [{ a: 1 }] }))
  assert.equal(text, JSON.stringify({ head: 1, later: now, none: [], tail: [2] }))
})

test('a session with a long thread is told like a short one, and its steps are made as they are told', async (t) => {
  const steps = 3000
  const { store } = watched()
  const { session } = store
  let seen = 0
  let most = 0
  store.session = async (query) => {
    const found = await session(query)
    if (found?.type !== 'session') return found
    const threads = found.threads.map((thread) => ({
      ...thread,
      actions: thread.actions.map((action) => ({
        ...action,
        get model() {
          seen++
          return action.model
        },
      })),
    }))
    // What is shaped between two turns of the event loop.
    const look = (before: number) => {
      most = Math.max(most, seen - before)
      if (seen < steps) setImmediate(look, seen)
    }
    setImmediate(look, 0)
    return { ...found, threads }
  }
  const [first, ...rest] = large(steps, 10)
  const root = idAt(0)
  const member = { ...by('ann'), sessionId: 'long', threadRootId: root }
  const call = { tools: [{ tool: 'Bash', input: 'x'.repeat(3000) }] }
  const plans = [
    { ...first, ...call, id: root, start: { ...member, threadRootId: null } },
    ...rest.map((plan) => ({ ...plan, ...call, start: member })),
  ]
  const api = await startApi(plans, store)
  t.after(() => api.close())
  const { status, json } = await api.get('sessions/long')
  assert.equal(status, 200)
  assert.equal(json.threads[0].agentic_actions.length, steps)
  assert.equal(seen, steps)
  assert.ok(most < steps / 4, `${most} at once`)
})

/** One each ten milliseconds. */
function large(count: number, length: number) {
  return Array.from({ length: count }, (_, index) => ({
    ms: index * 10,
    start: by('ann'),
    prompt: 'x'.repeat(length),
  }))
}

function watched(): { store: Store; queries: InterceptionQuery[] } {
  const whole = memoryRecorder()
  const queries: InterceptionQuery[] = []
  const store: Store = {
    ...whole,
    interceptions: (query = {}) => {
      queries.push(query)
      return whole.interceptions(query)
    },
  }
  return { store, queries }
}
