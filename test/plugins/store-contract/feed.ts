import assert from 'node:assert/strict'
import { reapedEnd } from '../../../src/core/reaped-end.ts'
import type { FeedPage, Store } from '../../../src/core/store.ts'
import { at, idAt, start, told } from '../../support/stored-records.ts'
import type { Check, Using } from './check.ts'

const idsOf = ({ results }: FeedPage) => results.map(({ interception }) => interception.id)

/** What has ended, for those who follow. */
export function feedContract(check: Check, using: Using): void {
  check('begins at now, and then has what ends, in the order of the ends', async (store) => {
    await store.record(told({}))
    const { results, cursor, gap = false } = await store.feed({})
    assert.deepEqual([results.length, gap], [0, false])
    const ids = [idAt(5), idAt(1), idAt(3)]
    for (const id of ids) await store.record([start(id)])
    assert.deepEqual(idsOf(await store.feed({ after: cursor })), [])
    for (const id of ids) await store.record(told({ id, prompt: 'x', tools: ['Bash'] }))
    const page = await store.feed({ after: cursor })
    assert.deepEqual(idsOf(page), ids)
    assert.equal(page.gap ?? false, false)
    assert.deepEqual(
      structuredClone(page.results[1]?.interception),
      structuredClone(await store.interception(ids[1] as string)),
    )
    assert.deepEqual(idsOf(await store.feed({ after: page.cursor })), [])
  })

  check('goes on after any of its cursors, page by page', async (store) => {
    const { cursor } = await store.feed({})
    const ids = Array.from({ length: 5 }, () => idAt(0))
    for (const id of ids) await store.record(told({ id }))
    const all = await store.feed({ after: cursor })
    assert.deepEqual(idsOf(all), ids)
    for (const [at, { cursor }] of all.results.entries())
      assert.deepEqual(idsOf(await store.feed({ after: cursor })), ids.slice(at + 1))
    const first = await store.feed({ after: cursor, limit: 2 })
    assert.deepEqual(idsOf(first), ids.slice(0, 2))
    const second = await store.feed({ after: first.cursor, limit: 2 })
    assert.deepEqual(idsOf(second), ids.slice(2, 4))
    assert.deepEqual(idsOf(await store.feed({ after: second.cursor, limit: 2 })), ids.slice(4))
    assert.equal(second.gap ?? false, false)
  })

  check('has each once, whatever comes late or twice', async (store) => {
    const { cursor } = await store.feed({})
    const id = idAt(0)
    const records = told({ id, prompt: 'x', usages: [{}] })
    await store.record(records)
    const seen = await store.feed({ after: cursor })
    await store.record(records)
    await store.record(records.toReversed())
    assert.deepEqual(idsOf(await store.feed({ after: seen.cursor })), [])
    assert.deepEqual(idsOf(await store.feed({ after: cursor })), [id])
  })

  check('has one whose end came first once its start is there', async (store) => {
    const { cursor } = await store.feed({})
    const [late, other] = [told({}), told({})]
    const ended = late.at(-1) as (typeof late)[0]
    await store.record([ended])
    await store.record(other)
    const before = await store.feed({ after: cursor })
    assert.deepEqual(idsOf(before), [other[0].interceptionId])
    await store.record(late)
    assert.deepEqual(idsOf(await store.feed({ after: before.cursor })), [late[0].interceptionId])
  })

  check('has one again when its owner’s end takes the place of a reaper’s', async (store) => {
    const { cursor } = await store.feed({})
    const [id, other] = [idAt(0), idAt(1)]
    const reaped = reapedEnd({ id, startedAt: at(0), lastSeenAt: at(1), lastSeq: 0 })
    await store.record([start(id), reaped])
    await store.record(told({ id: other }))
    const before = await store.feed({ after: cursor })
    assert.deepEqual(idsOf(before), [id, other])
    await store.record(told({ id }))
    await store.record([reaped])
    const after = await store.feed({ after: before.cursor })
    assert.deepEqual(idsOf(after), [id])
    assert.equal(after.results[0]?.interception.end?.outcome, 'completed')
    assert.equal(after.gap ?? false, false)
    const anew = await store.feed({ after: cursor })
    assert.equal(idsOf(anew).at(-1), id)
    assert.equal(anew.gap ?? false, false)
  })

  check('has only what may be seen, and goes past the rest', async (store) => {
    const { cursor } = await store.feed({})
    const hers = [idAt(0), idAt(1)]
    for (const id of hers) {
      for (let other = 0; other < 5; other++)
        await store.record(told({ start: { initiatorId: 'u-2', initiatorUsername: 'u-1' } }))
      await store.record(told({ id, start: { initiatorId: 'u-1' } }))
    }
    const query = { visibleTo: 'u-1', limit: 1 }
    const seen: string[] = []
    for (let after = cursor, page = 0; seen.length < 2 && page < 20; page++) {
      const next = await store.feed({ ...query, after })
      seen.push(...idsOf(next))
      after = next.cursor
    }
    assert.deepEqual(seen, hers)
    assert.deepEqual(idsOf(await store.feed({ after: cursor, visibleTo: 'u-1' })), hers)
    assert.deepEqual(idsOf(await store.feed({ after: cursor, visibleTo: 'u-3' })), [])
  })

  check(
    'says where something is missing: what was forgotten, a cursor of elsewhere',
    async (store) => {
      const { cursor } = await store.feed({})
      await store.record(told({ ms: 0 }))
      const middle = await store.feed({ after: cursor })
      const rest = told({ ms: 10 })
      await store.record(rest)
      await store.prune({ before: at(5) })
      const after = await store.feed({ after: cursor })
      assert.equal(after.gap, true)
      assert.deepEqual(idsOf(after), [rest[0].interceptionId])
      const next = await store.feed({ after: middle.cursor })
      assert.equal(next.gap ?? false, false)
      for (const foreign of ['elsewhere', '', '-1', '99999999999', 'a.b.c', '\u0000']) {
        const page = await store.feed({ after: foreign })
        assert.equal(page.gap, true, `after "${foreign}"`)
        const goesOn = await store.feed({ after: page.cursor })
        assert.equal(goesOn.gap ?? false, false)
      }
    },
  )

  check('tells a cursor of another store of its kind', async (store) => {
    await using(async (other) => {
      await other.record(told({}))
      const { cursor } = await other.feed({})
      for (let ms = 0; ms < 3; ms++) await store.record(told({ ms }))
      assert.equal((await store.feed({ after: cursor })).gap, true)
    })
  })

  check('keeps its order and cursors over reindex, and over closing', async (store) => {
    const { cursor } = await store.feed({})
    const ids = [idAt(9), idAt(1), idAt(5)]
    for (const id of ids) await store.record(told({ id }))
    const [, second] = (await store.feed({ after: cursor })).results
    await reopened(store)
    await store.reindex()
    assert.deepEqual(idsOf(await store.feed({ after: cursor })), ids)
    assert.deepEqual(idsOf(await store.feed({ after: second?.cursor as string })), ids.slice(2))
  })
}

async function reopened(store: Store): Promise<void> {
  await store.close()
  await store.open()
}
