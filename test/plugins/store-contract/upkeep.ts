import assert from 'node:assert/strict'
import { idAt, prompt, start, told } from '../../support/stored-records.ts'
import { answersOf } from './answers.ts'
import type { Check } from './check.ts'

/** What tells how a store is, and makes it anew. */
export function upkeepContract(check: Check): void {
  check('an empty store answers everything', async (store) => {
    assert.deepEqual(await store.sessions(), { count: 0, sessions: [] })
    assert.equal(await store.session({ id: 's' }), null)
    assert.deepEqual(await store.values({ of: 'tool' }), [])
    assert.deepEqual(await store.stats({ groupBy: 'none' }), [])
    assert.deepEqual(await store.stats({ groupBy: 'tool', interval: 'day' }), [])
    assert.deepEqual((await store.feed({})).results, [])
    const nothing = { interceptions: 0, contents: 0, done: true }
    assert.deepEqual(await store.prune({}), nothing)
    assert.deepEqual(await store.reindex(), { interceptions: 0, sessions: 0 })
    assert.deepEqual(await store.verify(), {
      interceptions: 0,
      records: 0,
      sessions: 0,
      open: 0,
      orphans: 0,
      faults: [],
    })
  })

  check('verify counts what there is, and finds no fault', async (store) => {
    const session = { clientSessionId: 's', sessionId: 's' }
    await store.record([
      ...told({ prompt: 'x', tools: ['Bash'], start: session }),
      ...told({ ms: 1, start: session }),
      ...told({ ms: 2 }),
      start(idAt(3), {}, 3),
      prompt(idAt(4), 'an orphan'),
    ])
    const expected = {
      interceptions: 4,
      records: 10,
      sessions: 2,
      open: 1,
      orphans: 1,
      faults: [],
    }
    assert.deepEqual(await store.verify(), expected)
    assert.deepEqual(await store.reindex(), { interceptions: 4, sessions: 2 })
    assert.deepEqual(await store.verify(), expected)
  })

  check('reindex changes no answer', async (store) => {
    const root = idAt(0)
    await store.record([
      ...told({ ms: 5, start: { correlatingToolCallId: `${root}-1` }, tools: ['Read'] }),
      ...told({ id: root, prompt: 'Begin', tools: ['Bash'], usages: [{}] }),
      ...told({ ms: 9, end: null }),
      prompt(idAt(4), 'an orphan'),
    ])
    const before = await answersOf(store)
    await store.reindex()
    assert.deepEqual(await answersOf(store), before)
  })
}
