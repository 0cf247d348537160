import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { at, end, idAt, prompt, start, told, tool } from '../../support/stored-records.ts'
import { type Check, finds } from './check.ts'

const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }
const wordy = { prompt: 'a secret plan', tools: ['Bash'], thoughts: ['secret'], usages: [{}] }

/** What erasing forgets, and that it stays forgotten. */
export function eraseContract(check: Check): void {
  check('forgets all of one initiator, what runs too, and nothing of others', async (store) => {
    const [hers, running, his] = [idAt(0), idAt(10), idAt(20)]
    const session = { clientSessionId: 's', sessionId: 's' }
    await store.record([
      ...told({ ...wordy, id: hers, start: { ...anna, ...session, model: 'hers' } }),
      ...told({ ...wordy, id: running, ms: 10, start: anna, end: null }),
      ...told({ ...wordy, id: his, ms: 20, start: { ...ben, ...session } }),
    ])
    const before = await store.interception(his)
    assert.deepEqual(await store.erase({ initiator: 'u-1' }), {
      interceptions: 2,
      initiatorIds: ['u-1'],
    })
    await finds(store, { running: true }, [his])
    await finds(store, { search: 'secret', running: true }, [his])
    for (const id of [hers, running]) assert.equal(await store.interception(id), null)
    assert.deepEqual(structuredClone(await store.interception(his)), structuredClone(before))
    const { sessions } = await store.sessions()
    assert.deepEqual(
      sessions.map(({ initiatorId, measures }) => [initiatorId, measures.interceptions]),
      [['u-2', 1]],
    )
    assert.deepEqual(await store.values({ of: 'initiator' }), ['ben'])
    assert.deepEqual(await store.values({ of: 'model' }), ['claude-sonnet-4-5'])
    const rows = await store.stats({ groupBy: 'user', interval: 'hour' })
    assert.deepEqual(
      rows.map(({ key, interceptions, toolCalls }) => [key, interceptions, toolCalls]),
      [['ben', 1, 1]],
    )
    const { interceptions, open, orphans, records, faults } = await store.verify()
    assert.deepEqual([interceptions, open, orphans, records, faults], [1, 0, 0, 6, []])
  })

  check('a username stands for all ids that have it', async (store) => {
    await store.record([
      ...told({ start: anna }),
      ...told({ ms: 1, start: { ...anna, initiatorId: 'u-9' } }),
      // Once she had another name: it is her all the same.
      ...told({ ms: 2, start: { ...anna, initiatorUsername: 'anna-marie' } }),
      ...told({ ms: 3, start: ben }),
    ])
    const report = { interceptions: 3, initiatorIds: ['u-1', 'u-9'] }
    assert.deepEqual(await store.erase({ initiator: 'anna', dryRun: true }), report)
    assert.deepEqual(await store.erase({ initiator: 'anna' }), report)
    assert.deepEqual(await store.values({ of: 'initiator' }), ['ben'])
    await store.record(told({ ms: 4, start: { ...anna, initiatorUsername: 'other' } }))
    assert.deepEqual(await store.values({ of: 'initiator' }), ['ben'])
  })

  check('refuses what of it comes late, also after it was opened again', async (store) => {
    const [stored, running] = [idAt(0), idAt(1)]
    const records = told({ ...wordy, id: stored, start: anna })
    await store.record([...records, start(running, anna, 1)])
    await store.erase({ initiator: 'u-1' })
    for (const again of [false, true]) {
      if (again) {
        await store.close()
        await store.open()
      }
      await store.record(records)
      // Nothing in these says whose they are.
      await store.record([prompt(running, 'secret'), tool(running, 2, 'Bash'), end(running)])
      const unseen = told({ ...wordy, id: idAt(2), ms: 2, start: anna })
      await store.record(unseen)
      for (const record of told({ ...wordy, id: idAt(3), ms: 3, start: anna }).toReversed())
        await store.record([record])
      await store.record(unseen.slice(1))
      await finds(store, { running: true }, [])
      const { records: held, orphans } = await store.verify()
      assert.deepEqual([held, orphans], [0, 0])
    }
  })

  check('forgets what was stored before its start, once that says whose it is', async (store) => {
    const id = idAt(0)
    const records = told({ ...wordy, id, start: anna })
    await store.record(records.slice(1))
    await store.erase({ initiator: 'u-1' })
    await store.record(records.slice(0, 1))
    assert.equal((await store.verify()).records, 0)
    await store.record(records.slice(1))
    assert.equal((await store.verify()).records, 0)
  })

  check('an initiator of whom nothing is stored yet is refused, too', async (store) => {
    assert.deepEqual(await store.erase({ initiator: 'u-1' }), {
      interceptions: 0,
      initiatorIds: ['u-1'],
    })
    await store.record(told({ ...wordy, start: anna }))
    await store.record(told({ id: idAt(5), ms: 5, start: ben }))
    assert.deepEqual(await store.values({ of: 'initiator' }), ['ben'])
  })

  check('up to a time, inclusive: what began later stays and may come', async (store) => {
    const [old, edge, young] = [idAt(0), idAt(1000), idAt(1001)]
    for (const [id, ms] of [
      [old, 0],
      [edge, 1000],
      [young, 1001],
    ] as const)
      await store.record(told({ ...wordy, id, ms, start: anna }))
    const report = await store.erase({ initiator: 'anna', before: at(1000) })
    assert.deepEqual(report, { interceptions: 2, initiatorIds: ['u-1'] })
    await finds(store, { running: true }, [young])
    const [late, later] = [idAt(500), idAt(2000)]
    await store.record(told({ id: late, ms: 500, start: anna }))
    await store.record(told({ id: idAt(1000), ms: 1000, start: anna }))
    await store.record(told({ id: later, ms: 2000, start: anna }))
    await finds(store, { running: true }, [later, young])
    // An earlier time takes nothing back.
    await store.erase({ initiator: 'u-1', before: at(10) })
    await store.record(told({ id: idAt(600), ms: 600, start: anna }))
    await finds(store, { running: true }, [later, young])
  })

  check('a dry run counts and changes nothing, nor what is refused', async (store) => {
    await store.record(told({ start: anna }))
    assert.deepEqual(await store.erase({ initiator: 'u-1', dryRun: true }), {
      interceptions: 1,
      initiatorIds: ['u-1'],
    })
    await store.record(told({ ms: 1, start: anna }))
    assert.equal((await store.interceptions()).results.length, 2)
  })

  check('tells who was erased, and which of the interceptions asked for were', async (store) => {
    assert.ok(store.erasures)
    assert.deepEqual(await store.erasures(), { initiators: [], interceptions: [] })
    const [hers, running, late, his] = [idAt(0), idAt(10), idAt(20), idAt(30)]
    await store.record([
      ...told({ id: hers, start: anna }),
      start(running, anna, 10),
      ...told({ id: his, ms: 30, start: ben }),
    ])
    await store.erase({ initiator: 'anna', before: at(1000) })
    const hash = createHash('sha256').update('u-1').digest('hex')
    const initiators = [{ hash, of: 'id', until: at(1000) }]
    assert.deepEqual(await store.erasures([]), { initiators, interceptions: [] })
    // What came only now is known, too.
    await store.record(told({ id: late, ms: 20, start: anna }))
    const { interceptions } = await store.erasures([his, late, running, hers, idAt(40)])
    assert.deepEqual([...interceptions].sort(), [hers, running, late].sort())
  })

  check('goes on while others write', async (store) => {
    const hers = Array.from({ length: 100 }, (_, ms) => told({ ...wordy, ms, start: anna }))
    await store.record(hers.flat())
    const his = Array.from({ length: 30 }, (_, ms) => told({ ...wordy, ms, start: ben }))
    await Promise.all([
      store.erase({ initiator: 'u-1' }),
      ...his.map((records) => store.record(records)),
      ...hers.slice(0, 10).map((records) => store.record(records)),
    ])
    const rows = await store.stats({ groupBy: 'user' })
    assert.deepEqual(
      rows.map(({ key, interceptions, prompts }) => [key, interceptions, prompts]),
      [['ben', 30, 30]],
    )
    await finds(store, { visibleTo: 'u-1', running: true }, [])
  })
}
