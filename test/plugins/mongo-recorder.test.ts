import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Db, Document, WithId } from 'mongodb'
import { Diagnostics } from '../../src/core/diagnostics.ts'
import { SluiceError } from '../../src/core/errors.ts'
import { interceptionId } from '../../src/core/ids.ts'
import type { PluginContext } from '../../src/core/plugin.ts'
import { reapedEnd } from '../../src/core/reaped-end.ts'
import type { Recorder } from '../../src/core/recorder.ts'
import type { RecordOf } from '../../src/core/records.ts'
import { type MongoRecorderOptions, mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { mongoServers } from '../support/mongo.ts'
import { lacks } from '../support/mongo-probe.ts'
import { needs } from '../support/needs.ts'
import {
  at,
  end,
  prompt,
  start,
  tool,
  usage,
  wholeInterception,
} from '../support/stored-records.ts'
import { testedMongo } from '../support/tested-mongo.ts'
import { recorderContract } from './recorder-contract.ts'

const kinds = mongoServers()

test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})

for (const kind of kinds) {
  describe(`on ${kind.name}`, () => {
    const mongo = testedMongo(kind)

    const databases = new Map<Recorder, string>()
    recorderContract({
      name: 'mongoRecorder',
      // The stand-ins read whole collections where MongoDB has indexes.
      manyCalls: kind.name === 'FerretDB' ? 1000 : 5000,
      linkRuns: { 'mongo-java-server': 30, FerretDB: 4 }[kind.name] ?? 60,
      create: () => {
        const db = `sluice_test_${randomUUID()}`
        const recorder = mongoRecorder({ url: mongo.server.uri, db })
        databases.set(recorder, db)
        return recorder
      },
      dispose: async (recorder) => {
        await mongo.admin.db(databases.get(recorder)).dropDatabase()
      },
    })

    /** An open recorder on a database of its own, and that database. */
    async function create(
      t: TestContext,
      options: Partial<MongoRecorderOptions> = {},
      context?: PluginContext,
    ) {
      const name = `sluice_test_${randomUUID()}`
      const recorder = mongoRecorder({ url: mongo.server.uri, db: name, ...options })
      t.after(async () => {
        await recorder.close()
        await mongo.admin.db(name).dropDatabase()
      })
      await recorder.open(context)
      return { recorder, name, db: mongo.admin.db(name) }
    }

    test('an interception is one document that can be queried', async (t) => {
      const { recorder, db } = await create(t)
      const [first, ...rest] = wholeInterception({ model: 'claude-x' })
      assert.ok(first)
      await recorder.record([first])
      await recorder.record(rest)
      const documents = await db.collection('interceptions').find().toArray()
      assert.equal(documents.length, 1)
      const { _id, model, startedAt, ended, records } = documents[0] as WithId<Document>
      assert.equal(String(_id), first.interceptionId)
      assert.deepEqual([model, startedAt, ended], ['claude-x', new Date(at(0)), true])
      const bash = rest.find((record) => record.type === 'tool_usage')
      assert.equal(records[bash?.id ?? ''].tool, 'Bash')
      assert.equal(typeof records[bash?.id ?? '']._json, 'string', 'a stranger’s JSON is text')
    })

    test('several gateways write one interception at once, and nothing is lost', async (t) => {
      const lacking = await lacks(mongo.server.uri, 'concurrent updates')
      if (lacking) return t.skip(lacking)
      const { recorder, name } = await create(t)
      const others = await Promise.all([1, 2, 3].map(() => create(t, { db: name })))
      const recorders = [recorder, ...others.map((other) => other.recorder)]
      const id = interceptionId()
      const tools = Array.from({ length: 16 }, (_, index) => tool(id, index + 1, `tool-${index}`))
      await Promise.all(
        [start(id), ...tools, end(id)].map((record, index) =>
          recorders[index % recorders.length]?.record([record]),
        ),
      )
      const stored = await recorder.interception(id)
      assert.deepEqual(stored?.toolUsages, tools)
      assert.equal(stored?.end?.outcome, 'completed')
    })

    test('gateways that insert one interception at once don’t fail each other', async (t) => {
      const { recorder, name } = await create(t)
      const { recorder: other } = await create(t, { db: name })
      for (let round = 0; round < 5; round++) {
        const id = interceptionId()
        const records = [start(id), ...[1, 2, 3, 4, 5].map((seq) => tool(id, seq, `tool-${seq}`))]
        await Promise.all(
          records.map((record, index) => (index % 2 === 0 ? recorder : other).record([record])),
        )
      }
    })

    const dear = kind.name === 'FerretDB' && 'a minute on this server; the other one shows it'
    test('an interception that outgrows a document goes on in others, once', {
      skip: dear,
    }, async (t) => {
      const { recorder, name, db } = await create(t)
      const id = interceptionId()
      const input = 'x'.repeat(8000)
      const tools = Array.from({ length: 1200 }, (_, index) => ({
        ...tool(id, index + 1, `tool-${index}`),
        input,
      }))
      await recorder.record([start(id)])
      for (let from = 0; from < tools.length; from += 300)
        await recorder.record(tools.slice(from, from + 300))
      await recorder.record([end(id, {}, 1201)])
      const list = await recorder.interceptions()
      assert.equal(list.count, 1, 'further documents are no interceptions')
      assert.deepEqual(list.results[0]?.toolUsages, tools)

      const sizes = () =>
        db
          .collection('interceptions')
          .find({}, { projection: { records: 1 } })
          .map((document) => Buffer.byteLength(JSON.stringify(document)))
          .toArray()
      const before = await sizes()
      assert.ok(before.length >= 2 && before.length <= 4, `${before.length} documents`)
      assert.ok(Math.max(...before) < 12 * 1024 ** 2)

      // Another process, which must find out where they lie.
      const { recorder: late } = await create(t, { db: name })
      await late.record(tools.slice(800, 1100).map((record) => ({ ...record, tool: 'again' })))
      assert.equal((await sizes()).length, before.length)
      const stored = await late.interception(id)
      assert.equal(stored?.toolUsages.length, 1200)
      assert.equal(stored.toolUsages.filter((record) => record.tool === 'again').length, 300)
    })

    test('many large records in one batch stay below what a document may hold', async (t) => {
      const { recorder } = await create(t)
      const id = interceptionId()
      const large = Array.from({ length: 18 }, (_, index) => ({
        ...tool(id, index + 1, `tool-${index}`),
        input: 'y'.repeat(1_000_000),
      }))
      await recorder.record([start(id), ...large, end(id)])
      assert.deepEqual((await recorder.interception(id))?.toolUsages, large)
    })

    test('content over 1 MiB is cut between characters, its size and hash kept', async (t) => {
      const { recorder } = await create(t)
      const id = interceptionId()
      const text = `a${'漢'.repeat(700_000)}`
      await recorder.record([start(id), prompt(id, text), end(id)])
      const [stored] = (await recorder.interception(id))?.userPrompts ?? []
      assert.ok(stored && text.startsWith(stored.prompt))
      const kept = Buffer.byteLength(stored.prompt)
      assert.ok(kept <= 1024 ** 2 && kept > 1024 ** 2 - 3)
      assert.deepEqual(stored.truncated, ['prompt'])
      assert.deepEqual(stored.truncatedFrom, {
        prompt: {
          bytes: Buffer.byteLength(text),
          sha256: createHash('sha256').update(text).digest('hex'),
        },
      })
      assert.equal(stored.rawPrompt, text.slice(0, 100))
    })

    test('a stranger’s JSON over 1 MiB is left out whole, and told', async (t) => {
      const { recorder } = await create(t)
      const id = interceptionId()
      const big: RecordOf<'tool_usage'> = {
        ...tool(id, 1, 'Bash'),
        metadata: { all: 'z'.repeat(2_000_000) },
      }
      await recorder.record([start(id), big])
      const [stored] = (await recorder.interception(id))?.toolUsages ?? []
      assert.deepEqual(stored?.metadata, {})
      assert.deepEqual(stored?.truncated, ['metadata'])
      assert.equal(stored?.truncatedFrom?.metadata?.bytes, 2_000_010)
    })

    test('an owner’s end counts, whichever gateway wrote the reaper’s', async (t) => {
      const { recorder, name } = await create(t)
      const { recorder: reaper } = await create(t, { db: name })
      const id = interceptionId()
      await recorder.record([start(id), usage(id, { seq: 1, outputTokens: 5 })])
      await reaper.record([reapedEnd({ id, startedAt: at(0), lastSeenAt: at(9), lastSeq: 1 })])
      assert.equal((await reaper.interception(id))?.end?.outcome, 'aborted')
      await recorder.record([end(id)])
      await reaper.record([reapedEnd({ id, startedAt: at(0), lastSeenAt: at(9), lastSeq: 1 })])
      assert.equal((await reaper.interceptions()).results[0]?.end?.outcome, 'completed')
    })

    test('gateways that write the two ends of a thread at once link it', async (t) => {
      const lacking = await lacks(mongo.server.uri, 'concurrent updates')
      if (lacking) return t.skip(lacking)
      const { recorder, name } = await create(t)
      const { recorder: other } = await create(t, { db: name })
      for (let round = 0; round < 5; round++) {
        const ids = Array.from({ length: 4 }, interceptionId)
        await Promise.all(
          ids.map(async (id, at) => {
            const answers = at === 0 ? null : `call ${round} ${at - 1}`
            const call = { ...tool(id, 1, 'Bash'), toolCallId: `call ${round} ${at}` }
            const begun = start(id, { correlatingToolCallId: answers }, at)
            await (at % 2 === 0 ? recorder : other).record([begun, call, end(id)])
          }),
        )
        for (const [at, id] of ids.entries()) {
          const found = (await recorder.interception(id))?.start
          assert.equal(found?.threadParentId, ids[at - 1] ?? null)
          assert.equal(found?.sessionId, ids[0])
        }
      }
    })

    test('what a dead process left open ends as aborted, and nothing else', async (t) => {
      const { recorder: dying, name, db } = await create(t, { processId: 'dead' })
      const { recorder: living } = await create(t, { db: name, processId: 'alive' })
      const [left, ended, lives] = [interceptionId(), interceptionId(), interceptionId()]
      await dying.record([
        start(left, { processId: 'dead' }),
        tool(left, 4, 'Bash'),
        start(ended, { processId: 'dead' }),
        end(ended),
      ])
      await living.record([start(lives, { processId: 'alive' })])
      await dying.close()
      await setSeen(db, 'dead', 61_000)

      await create(t, { db: name, processId: 'reaper' })
      const reaped = (await living.interception(left))?.end
      assert.equal(reaped?.outcome, 'aborted')
      assert.equal(reaped.reaped, true)
      assert.equal(reaped.endedAt, at(4), 'when it was last seen')
      assert.equal((await living.interception(ended))?.end?.outcome, 'completed')
      assert.equal((await living.interception(lives))?.end, null)

      // It was only away: its own word counts.
      await dying.open()
      await dying.record([end(left)])
      assert.equal((await living.interception(left))?.end?.outcome, 'completed')
    })

    test('a process that nobody saw yet is given time to say that it lives', async (t) => {
      const { recorder, name, db } = await create(t)
      const id = interceptionId()
      await recorder.record([start(id, { processId: 'unseen' })])
      const reaper = await create(t, { db: name, processId: 'reaper' })
      assert.equal((await recorder.interception(id))?.end, null)
      await reaper.recorder.close()
      await setSeen(db, 'unseen', 61_000)
      await reaper.recorder.open()
      assert.equal((await recorder.interception(id))?.end?.outcome, 'aborted')
    })

    test('a process says again and again that it lives, and reaps while it runs', async (t) => {
      const times = { heartbeatMs: 20, reapMs: 20 }
      const { recorder, db } = await create(t, { processId: 'alive', ...times })
      const seen = await setSeen(db, 'alive', 3_600_000)
      const marks = () => db.collection<{ _id: string; seenAt: Date }>('interceptions_processes')
      await until(async () => Number((await marks().findOne({ _id: 'alive' }))?.seenAt) > +seen)
      const id = interceptionId()
      await setSeen(db, 'dead', 61_000)
      await recorder.record([start(id, { processId: 'dead' })])
      await until(async () => (await recorder.interception(id))?.end?.reaped === true)
      await recorder.close()
      const last = await setSeen(db, 'alive', 3_600_000)
      await pause(100)
      assert.deepEqual((await marks().findOne({ _id: 'alive' }))?.seenAt, last)
    })

    test('creates its indexes, also beside others', async (t) => {
      const { db, recorder } = await create(t)
      await db.collection('interceptions').createIndex({ model: 1 })
      await recorder.close()
      await recorder.open()
      const indexes = await db.collection('interceptions').indexes()
      const names = indexes.map(({ name }) => name)
      assert.deepEqual(names.filter((name) => name?.startsWith('sluice_')).toSorted(), [
        'sluice_above',
        'sluice_ended_started',
        'sluice_initiator_id',
        'sluice_offers',
        'sluice_session_key',
        'sluice_stale',
        'sluice_wants',
        'sluice_worded',
      ])
      const digests = await db.collection('interceptions_digests').indexes()
      assert.ok(digests.some(({ name }) => name === 'sluice_model'))
    })

    test('an index that stands in the way is named', async (t) => {
      const lacking = await lacks(mongo.server.uri, 'index conflicts')
      if (lacking) return t.skip(lacking)
      const { db, recorder } = await create(t)
      await recorder.close()
      await db.collection('interceptions').dropIndex('sluice_ended_started')
      await db.collection('interceptions').createIndex({ x: 1 }, { name: 'sluice_ended_started' })
      await assert.rejects(recorder.open(), {
        code: 'ERR_STORE_INDEXES',
        message: /lacks the indexes sluice_ended_started/,
      })
    })

    test('a client that was given stays open', async (t) => {
      const { recorder, name } = await create(t, { client: mongo.admin })
      await recorder.record(wholeInterception())
      await recorder.close()
      assert.equal(await mongo.admin.db(name).collection('interceptions').countDocuments(), 1)
    })

    test('before it is open, and after it is closed, it says so', async (t) => {
      const { recorder } = await create(t)
      await recorder.close()
      await assert.rejects(recorder.record(wholeInterception()), { code: 'ERR_STORE_CLOSED' })
    })

    const lasting = kind.survives === 'unknown' ? 'this server is not ours to stop' : false
    test('while the server is away a process goes on trying to say that it lives', {
      skip: lasting,
    }, async (t) => {
      const warnings: string[] = []
      const diagnostics = new Diagnostics((_, message) => warnings.push(message))
      const times = { heartbeatMs: 20, serverSelectionTimeoutMS: 200 }
      const { db } = await create(t, { processId: 'alive', ...times }, { diagnostics })
      await mongo.server.end(kind.survives === 'stop' ? 'stop' : 'kill')
      const said = () => warnings.filter((line) => /could not say that this process/.test(line))
      await until(async () => said().length > 0)
      await pause(600)
      assert.equal(said().length, 1, 'told once')
      await mongo.server.restart()
      const marks = () => db.collection<{ _id: string; seenAt: Date }>('interceptions_processes')
      const seen = await setSeen(db, 'alive', 3_600_000)
      await until(async () => Number((await marks().findOne({ _id: 'alive' }))?.seenAt) > +seen)
    })

    test('what was acknowledged outlives the server', { skip: lasting }, async (t) => {
      const { recorder } = await create(t, { serverSelectionTimeoutMS: 500 })
      const kept = wholeInterception()
      await recorder.record(kept)
      const id = interceptionId()
      await recorder.record([start(id)])

      await mongo.server.end(kind.survives === 'stop' ? 'stop' : 'kill')
      await assert.rejects(recorder.record([end(id)]), { code: 'ERR_STORE_AWAY' })
      await assert.rejects(recorder.interceptions(), { code: 'ERR_STORE_AWAY' })

      await mongo.server.restart()
      await recorder.record([end(id)])
      const { results } = await recorder.interceptions()
      assert.equal(results.length, 2)
      const stored = await recorder.interception(kept[0]?.interceptionId ?? '')
      assert.deepEqual(stored?.start, kept[0])
      assert.deepEqual(stored?.end, kept.at(-1))
    })
  })
}

/** Makes a process's last sign of life so old. */
async function setSeen(db: Db, processId: string, agoMs: number): Promise<Date> {
  const seenAt = new Date(Date.now() - agoMs)
  const marks = db.collection<{ _id: string; seenAt: Date }>('interceptions_processes')
  await marks.updateOne({ _id: processId }, { $set: { seenAt } }, { upsert: true })
  return seenAt
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(10)
}

test('a server that is away is told with its host, without a password', async () => {
  const recorder = mongoRecorder({
    url: 'mongodb://anna:s3cret%21@127.0.0.1:1/store',
    serverSelectionTimeoutMS: 200,
  })
  const error = await recorder.open().catch((fault: unknown) => fault)
  assert.ok(error instanceof SluiceError)
  assert.equal(error.code, 'ERR_STORE_AWAY')
  assert.match(error.message, /127\.0\.0\.1:1/)
  assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /s3cret/)
})

for (const [what, url] of [
  ['another scheme', 'postgres://anna:s3cret@localhost/store'],
  ['an unescaped password', 'mongodb://anna:s3c:ret/@s3cret@localhost/store'],
  ['a broken escape', 'mongodb://anna:s3cret%zz@localhost/store'],
  ['an unknown option', 'mongodb://anna:s3cret@localhost/store?readSpeed=fast'],
  ['no host', 'mongodb://anna:s3cret@/store'],
  ['nothing', ''],
] as const) {
  test(`a URL with ${what} is refused at once, without its password`, () => {
    try {
      mongoRecorder({ url })
      assert.fail('not refused')
    } catch (error) {
      assert.ok(error instanceof SluiceError, inspect(error))
      assert.equal(error.code, 'ERR_STORE_URL')
      assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /s3c/)
    }
  })
}
