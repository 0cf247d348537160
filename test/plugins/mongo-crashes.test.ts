import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { InterceptionRecord } from '../../src/core/records.ts'
import type { Store } from '../../src/core/store.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { mongoServers } from '../support/mongo.ts'
import { at, idAt, told } from '../support/stored-records.ts'
import { testedMongo } from '../support/tested-mongo.ts'
import { dyingClient } from './mongo/dying-client.ts'
import { answersOf, assertAnswers } from './store-contract/answers.ts'

const hour = 60 * 60 * 1000
const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }

/** How many writes lie between two deaths: the slower the server, the fewer deaths. */
const steps: Readonly<Record<string, number>> = { 'mongo-java-server': 7, FerretDB: 29 }

for (const kind of mongoServers()) {
  describe(`on ${kind.name}`, () => {
    const mongo = testedMongo(kind)

    test('wherever a process dies between two writes, who opens the store next sees all that is stored', async () => {
      const plan = deeds()
      const memory = memoryRecorder()
      for (const deed of plan) await deed(memory)
      const expected = await answersOf(memory)
      for (let last = 0, isDead = true; isDead; last += steps[kind.name] ?? 1) {
        const db = `sluice_test_${randomUUID()}`
        const dying = dyingClient(mongo.admin, last)
        isDead = await diesAmid(mongoRecorder({ client: dying.client, db }), plan)
        assert.equal(isDead, dying.isDead, 'it dies of nothing else')
        const next = mongoRecorder({ client: mongo.admin, db })
        await next.open()
        const found = await answersOf(next)
        await next.reindex()
        assertAnswers(await answersOf(next), found, `after ${last} writes, as reindexed`)
        // The dead process's lease ends after half a minute.
        await mongo.admin.db(db).collection('interceptions_leases').deleteMany({})
        // What a journal does.
        for (const deed of plan) await deed(next)
        assertAnswers(await answersOf(next), expected, `after ${last} writes, told again`)
        await next.close()
        await mongo.admin.db(db).dropDatabase()
      }
    })

    test('what another process began and left is done by one that runs', async () => {
      const db = `sluice_test_${randomUUID()}`
      const runs = mongoRecorder({ client: mongo.admin, db, sweepMs: 20 })
      await runs.open()
      // Enough to be stored, and too few for sessions.
      const dying = dyingClient(mongo.admin, 3)
      const records = told({ prompt: 'left behind', start: anna })
      await diesAmid(mongoRecorder({ client: dying.client, db }), [
        (store) => store.record(records),
      ])
      assert.ok(dying.isDead)
      const sessions = async () => (await runs.sessions()).sessions
      while ((await sessions()).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 50))
      assert.deepEqual(
        (await sessions()).map(({ lastPrompt }) => lastPrompt),
        ['left behind'],
      )
      await runs.close()
      await mongo.admin.db(db).dropDatabase()
    })
  })
}

type Deed = (store: Store) => Promise<unknown>

/** True where the store's process does not get to the end. */
async function diesAmid(store: Store, deeds: readonly Deed[]): Promise<boolean> {
  try {
    await store.open()
    for (const deed of deeds) await deed(store)
    return false
  } catch {
    return true
  } finally {
    await store.close().catch(() => {})
  }
}

/** Records that move one another, and what forgets some of them: each may be done again. */
function deeds(): Deed[] {
  const [root, child, old, his, open] = [idAt(hour), idAt(hour + 5), idAt(0), idAt(9), idAt(7)]
  const answers = { ...anna, correlatingToolCallId: `${root}-2` }
  const record = (records: readonly InterceptionRecord[]) => (store: Store) => store.record(records)
  return [
    record([
      ...told({
        id: child,
        ms: hour + 5,
        start: { ...answers, sessionId: child },
        prompt: 'alpha',
      }),
      ...told({ id: old, start: { ...anna, clientSessionId: 's', sessionId: 's' }, usages: [{}] }),
    ]),
    // The child moves into this one's session.
    record(told({ id: root, ms: hour, start: anna, prompt: 'alpha beta', tools: ['Bash'] })),
    record([
      ...told({ id: his, ms: 9, start: ben, prompt: 'beta', tools: ['Read'] }),
      ...told({ id: open, ms: 7, start: ben, end: null }),
    ]),
    (store) => store.prune({ before: at(5), contentBefore: at(hour + 1) }),
    (store) => store.erase({ initiator: 'u-2', before: at(8) }),
  ]
}
