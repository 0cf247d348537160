import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import type { Session } from '../../src/core/session.ts'
import type { Store } from '../../src/core/store.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { mongoServers } from '../support/mongo.ts'
import { lacks } from '../support/mongo-probe.ts'
import { needs } from '../support/needs.ts'
import { at, idAt, told } from '../support/stored-records.ts'
import { testedMongo } from '../support/tested-mongo.ts'
import { answersOf, assertAnswers } from './store-contract/answers.ts'
import { storeContract } from './store-contract.ts'

const kinds = mongoServers()

test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})

for (const kind of kinds) {
  describe(`on ${kind.name}`, () => {
    const mongo = testedMongo(kind)

    const databases = new Map<Store, string>()
    storeContract({
      name: 'mongoRecorder',
      // The stand-ins read whole collections where MongoDB has indexes.
      histories: { 'mongo-java-server': 10, FerretDB: 2 }[kind.name] ?? 30,
      lacks:
        kind.name === 'FerretDB'
          ? {
              'goes on while others write': 'this server is no match for MongoDB: it takes minutes',
            }
          : {},
      create: () => {
        const db = `sluice_test_${randomUUID()}`
        const store = mongoRecorder({ url: mongo.server.uri, db })
        databases.set(store, db)
        return store
      },
      dispose: async (store) => {
        await mongo.admin.db(databases.get(store)).dropDatabase()
      },
    })

    /** Open stores on one database of their own. */
    async function stores(t: TestContext, count: number): Promise<{ stores: Store[]; db: Db }> {
      const db = `sluice_test_${randomUUID()}`
      const stores = Array.from({ length: count }, (_, index) =>
        mongoRecorder({ url: mongo.server.uri, db, processId: `p-${index}`, sweepMs: 50 }),
      )
      t.after(async () => {
        for (const store of stores) await store.close()
        await mongo.admin.db(db).dropDatabase()
      })
      for (const store of stores) await store.open()
      return { stores, db: mongo.admin.db(db) }
    }

    test('several gateways write one session at once, and all come to the same', async (t) => {
      const lacking = await lacks(mongo.server.uri, 'concurrent updates')
      if (lacking) return t.skip(lacking)
      const { stores: all } = await stores(t, 3)
      const session = { clientSessionId: 's', sessionId: 's', initiatorId: 'u-1' }
      const records = Array.from({ length: 30 }, (_, ms) =>
        told({ ms, start: session, prompt: `prompt ${ms}`, tools: ['Bash'], usages: [{}] }),
      )
      // Each in two halves by different gateways, some a second time by the third.
      await Promise.all(
        records.flatMap((each, index) => [
          all[index % 3]?.record(each.slice(0, 2)),
          all[(index + 1) % 3]?.record(each.slice(2)),
          index % 4 === 0 ? all[(index + 2) % 3]?.record(each) : undefined,
        ]),
      )
      for (const store of all) {
        while ((await sessionOf(store))?.measures.toolCalls !== 30) await pause(20)
        const session = await sessionOf(store)
        assert.deepEqual(
          [session?.measures.interceptions, session?.threads, session?.lastPrompt],
          [30, 30, 'prompt 29'],
        )
        const [row] = await store.stats({ groupBy: 'model' })
        assert.deepEqual([row?.interceptions, row?.outputTokens], [30, 300])
      }
      assert.deepEqual((await all[0]?.verify())?.faults, [])
    })

    test('a feed has what all gateways store, each once, wherever it goes on', async (t) => {
      const lacking = await lacks(mongo.server.uri, 'concurrent updates')
      if (lacking) return t.skip(lacking)
      const { stores: all } = await stores(t, 2)
      const [first, second] = all as [Store, Store]
      let { cursor } = await first.feed({})
      const ids = Array.from({ length: 40 }, (_, ms) => idAt(ms))
      const writing = Promise.all(
        ids.map((id, index) => (index % 2 === 0 ? first : second).record(told({ id }))),
      )
      const seen: string[] = []
      for (let round = 0; seen.length < ids.length; round++) {
        const page = await (round % 2 === 0 ? second : first).feed({ after: cursor, limit: 3 })
        seen.push(...page.results.map(({ interception }) => interception.id))
        cursor = page.cursor
      }
      await writing
      assert.deepEqual(seen.toSorted(), ids)
      assert.deepEqual((await first.feed({ after: cursor })).results, [])
    })

    test('one process prunes at a time, and another after it died', async (t) => {
      const { stores: all, db } = await stores(t, 1)
      const [store] = all as [Store]
      await store.record(told({}))
      const leases = db.collection<{ _id: string; owner: string; until: Date }>(
        'interceptions_leases',
      )
      const lease = { owner: 'another', until: new Date(Date.now() + 60_000) }
      await leases.insertOne({ _id: 'prune', ...lease })
      const query = { before: at(1) }
      assert.deepEqual(await store.prune(query), {
        interceptions: 0,
        contents: 0,
        done: false,
        busy: true,
      })
      await leases.updateOne({ _id: 'prune' }, { $set: { until: new Date(Date.now() - 60_000) } })
      assert.deepEqual(await store.prune(query), { interceptions: 1, contents: 0, done: true })
      assert.equal(await leases.countDocuments(), 0, 'given back')
    })

    test('what an older version stored is listed and summed, too', async (t) => {
      const { stores: all, db } = await stores(t, 1)
      const [store] = all as [Store]
      await store.record(told({ prompt: 'from before', start: { initiatorId: 'u-1' } }))
      await store.close()
      for (const name of ['digests', 'texts', 'sessions', 'hours', 'limits'])
        await db.collection(`interceptions_${name}`).drop()
      await db.collection('interceptions').updateMany({}, { $unset: { rev: '', worded: '' } })
      await store.open()
      assert.equal((await store.interceptions({ search: 'before' })).count, 1)
      assert.equal((await sessionOf(store))?.lastPrompt, 'from before')
      assert.deepEqual((await store.verify()).faults, [])
    })

    test('verify tells what is not as its records make it, and reindex mends it', async (t) => {
      const { stores: all, db } = await stores(t, 1)
      const [store] = all as [Store]
      await store.record([
        ...told({ prompt: 'x' }),
        ...told({ ms: 1, start: { clientSessionId: 's' } }),
      ])
      await store.sessions()
      await db.collection('interceptions_digests').updateOne({}, { $set: { summary: '{}' } })
      await db
        .collection('interceptions_sessions')
        .updateOne({}, { $set: { session: '{"id":"x"}' } })
      await db.collection('interceptions_hours').deleteMany({})
      const faults = (await store.verify()).faults
      assert.deepEqual(faults.length, 3, faults.join('\n'))
      assert.ok(faults.every((fault) => fault.includes('reindex')))
      await store.reindex()
      assert.deepEqual((await store.verify()).faults, [])
    })

    test('reindex makes anew whatever is missing or wrong of what is derived', async (t) => {
      const { stores: all, db } = await stores(t, 1)
      const [store] = all as [Store]
      const root = idAt(0)
      const session = { clientSessionId: 's', sessionId: 's' }
      await store.record([
        ...told({ id: root, prompt: 'alpha beta', tools: ['Bash'], usages: [{}], start: session }),
        ...told({ ms: 5, start: { correlatingToolCallId: `${root}-2` }, tools: ['Read'] }),
        ...told({ ms: 9, start: { initiatorId: 'u-1', initiatorUsername: 'anna' }, prompt: 'x' }),
        ...told({ ms: 3_600_000, end: null, prompt: 'still at it' }),
      ])
      const expected = await answersOf(store)
      const part = (name: string) => db.collection(`interceptions_${name}`)
      const whole = db.collection('interceptions')
      const members = ['startedAt', 'initiatorId', 'initiatorUsername', 'ended', 'lineage']
      const more = ['wants', 'sessionKey', 'offers', 'above', 'links', 'worded', 'stale', 'rev']
      const gone = Object.fromEntries([...members, ...more].map((name) => [name, '']))
      const damages: Readonly<Record<string, () => Promise<unknown>>> = {
        'no digests': () => part('digests').deleteMany({}),
        'no texts': () => part('texts').deleteMany({}),
        'no sessions': () => part('sessions').deleteMany({}),
        'no hours': () => part('hours').deleteMany({}),
        'other words': () => part('texts').updateMany({}, { $set: { words: ['y'], text: ' y ' } }),
        'other prompts': () => part('texts').updateMany({}, { $set: { prompt: 'y' } }),
        'other digests': () =>
          part('digests').updateMany({}, { $set: { model: 'y', ended: false, session: 'y' } }),
        'no members beside the records': () => whole.updateMany({}, { $unset: gone }),
        'other links': () =>
          whole.updateMany(
            {},
            { $set: { links: { threadParentId: 'y', threadRootId: 'y', sessionId: 'y' } } },
          ),
        'nothing derived at all': async () => {
          for (const name of ['digests', 'texts', 'sessions', 'hours']) await part(name).drop()
          await whole.updateMany({}, { $unset: gone })
        },
      }
      // FerretDB takes a second for each.
      const tried = Object.entries(damages).slice(kind.name === 'FerretDB' ? -1 : 0)
      for (const [name, damage] of tried) {
        await damage()
        await store.reindex()
        assertAnswers(await answersOf(store), expected, name)
      }
      const pruned = await store.prune({ contentBefore: at(7_200_000) })
      assert.equal(pruned.contents, 3, 'it is known again what holds words')
    })
  })
}

async function sessionOf(store: Store): Promise<Session | undefined> {
  return (await store.sessions()).sessions[0]
}
