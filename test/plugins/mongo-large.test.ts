import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type Document, MongoClient } from 'mongodb'
import type { InterceptionRecord } from '../../src/core/records.ts'
import type { Store } from '../../src/core/store.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'
import { idAt, told } from '../support/stored-records.ts'

// FerretDB reads whole collections for each: minutes.
const kinds = mongoServers().filter(({ name }) => name !== 'FerretDB')
const calls = 5000
/** MongoDB's own limit is 16 MiB. */
const largest = 14 * 1024 ** 2

test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})

for (const kind of kinds) {
  // The stand-in looks through all there is for each look-up.
  const interceptions = kind.name === 'mongo-java-server' ? 400 : 10_000

  test(`a session of ${interceptions} interceptions is read page by page on ${kind.name}`, async (t) => {
    const { store, sizes } = await storeOn(kind, t)
    const session = { clientSessionId: 's', sessionId: 's' }
    for (let from = 0; from < interceptions; from += 250) {
      const batch = Array.from({ length: Math.min(250, interceptions - from) }, (_, n) =>
        told({ ms: from + n, prompt: `prompt ${from + n}`, tools: ['Bash'], start: session }),
      )
      await store.record(batch.flat())
    }
    const { sessions } = await store.sessions()
    const [{ threads = 0, measures } = {}] = sessions
    assert.deepEqual([threads, measures?.toolCalls], [interceptions, interceptions])
    const page = await store.session({ id: 's', limit: 50 })
    assert.ok(page && 'threads' in page)
    assert.equal(page.threads.length, 50)
    const last = page.threads.at(-1)?.id
    assert.ok(last)
    const next = await store.session({ id: 's', limit: 50, after: last })
    assert.ok(next && 'threads' in next && next.threads[0]?.id !== last)
    for (const [name, bytes] of await sizes()) assert.ok(bytes < largest, `${name}: ${bytes}`)
  })

  test(`an interception of ${calls} tool calls is kept whole on ${kind.name}`, async (t) => {
    const { store, sizes } = await storeOn(kind, t)
    const input = JSON.stringify({ command: 'x'.repeat(3500) })
    const [id, child] = [idAt(0), idAt(9)]
    const tools = Array.from({ length: calls }, (_, n) => ({ tool: `tool-${n % 7}`, input }))
    const records: InterceptionRecord[] = told({ id, prompt: 'alpha', tools })
    for (let from = 0; from < records.length; from += 2501)
      await store.record(records.slice(from, from + 2501))
    const answer = { correlatingToolCallId: `${id}-${calls}` }
    await store.record(told({ id: child, ms: 9000, start: answer }))
    const found = await store.interception(id)
    assert.equal(found?.toolUsages.length, calls)
    assert.ok(found?.toolUsages.every((each) => each.input === input))
    assert.equal(
      (await store.interception(child))?.start.threadParentId,
      id,
      'the last call’s answer',
    )
    const [row] = await store.stats({ groupBy: 'none' })
    assert.equal(row?.toolCalls, calls)
    const page = await store.session({ id, limit: 1 })
    assert.ok(page && 'threads' in page)
    assert.equal(page.threads.length, 1)
    for (const [name, bytes] of await sizes()) assert.ok(bytes < largest, `${name}: ${bytes}`)
  })
}

type Kind = (typeof kinds)[number]

/** An open store, and how large the largest document of each of its collections is as JSON. */
async function storeOn(kind: Kind, t: TestContext) {
  const server = await kind.start()
  const name = `sluice_test_${randomUUID()}`
  const admin = new MongoClient(server.uri)
  const store: Store = mongoRecorder({ url: server.uri, db: name })
  t.after(async () => {
    await store.close()
    await admin.db(name).dropDatabase()
    await admin.close()
    await server.remove()
  })
  await store.open()
  async function sizes(): Promise<Map<string, number>> {
    const largest = new Map<string, number>()
    for (const { collectionName } of await admin.db(name).collections())
      for await (const document of admin.db(name).collection<Document>(collectionName).find())
        largest.set(
          collectionName,
          Math.max(Buffer.byteLength(JSON.stringify(document)), largest.get(collectionName) ?? 0),
        )
    return largest
  }
  return { store, sizes }
}
