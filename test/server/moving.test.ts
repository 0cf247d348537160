import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { interceptionId } from '../../src/core/ids.ts'
import type { InterceptionRecord } from '../../src/core/records.ts'
import type { Store } from '../../src/core/store.ts'
import { exportText } from '../../src/server/export.ts'
import { importText } from '../../src/server/import.ts'
import { migrate } from '../../src/server/migrate.ts'
import { createStore } from '../../src/server/store.ts'
import { type MongoServer, mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'
import { at, end, prompt, stamp, start, tool, usage } from '../support/stored-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-moving-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const sqlite = () => `sqlite:${join(folder, `${randomUUID()}.db`)}`

describe('memory', () => moves({ from: () => 'memory:', to: () => 'memory:', runs: 60 }))
describe('SQLite', () => moves({ from: sqlite, to: sqlite, runs: 4 }))

const kinds = mongoServers()
test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})
for (const kind of kinds) {
  describe(`SQLite and ${kind.name}`, () => {
    let server: MongoServer
    before(async () => {
      server = await kind.start()
    })
    after(() => server.remove())
    const mongo = () => `${server.uri}sluice_${randomUUID()}`
    moves({ from: sqlite, to: mongo, runs: 1 })
    moves({ from: mongo, to: sqlite, runs: 1 })
  })
}

interface Moves {
  readonly from: () => string
  readonly to: () => string
  readonly runs: number
}

function moves({ from, to, runs }: Moves): void {
  test('what is exported and imported is the same, and exports the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(histories(), async (records) => {
        await using([from(), to()], async (source, target) => {
          await source.record(records)
          const text = await exported(source)
          await imported(target, text)
          await assertSame(source, target)
          assert.ok((await exported(target)) === text)
          // Again, the last line first.
          await imported(target, text.trimEnd().split('\n').reverse().join('\n'))
          assert.ok((await exported(target)) === text)
        })
      }),
      { numRuns: runs, endOnFailure: true },
    )
  })

  test('what is migrated is the same; what is there already is passed over', async () => {
    await fc.assert(
      fc.asyncProperty(histories(), fc.integer({ min: 0, max: 60 }), async (records, cut) => {
        await using([from(), to()], async (source, target) => {
          await source.record(records.slice(0, cut))
          const begun = await migrate({ from: source, to: target })
          assert.deepEqual(begun.faults, [])
          // More came, and some of what ran has ended.
          await source.record(records.slice(cut))
          const report = await migrate({ from: source, to: target })
          assert.deepEqual(report.faults, [])
          await assertSame(source, target)
          assert.ok((await exported(target)) === (await exported(source)))
          const { copied, same } = await migrate({ from: source, to: target })
          assert.deepEqual([copied, same], [0, report.interceptions])
        })
      }),
      { numRuns: runs, endOnFailure: true },
    )
  })

  test('what the other store refuses is told', async () => {
    await using([from(), to()], async (source, target) => {
      const [old, recent] = [interceptionId(), interceptionId()]
      await target.prune({ before: at(5000) })
      await source.record([start(old), usage(old, { seq: 1, outputTokens: 9 }), end(old)])
      await source.record([start(recent, { startedAt: at(6000) }), end(recent)])
      const { interceptions, faults } = await migrate({ from: source, to: target })
      assert.equal(interceptions, 2)
      assert.match(faults[0] ?? '', /^2 interceptions should be there, and 1 are: .*retention/)
      assert.ok(faults.some((fault) => fault.startsWith('outputTokens should be 9')))
    })
  })
}

async function using(
  urls: readonly [string, string],
  run: (source: Store, target: Store) => Promise<void>,
): Promise<void> {
  const open: Store[] = []
  try {
    for (const store of urls) open.push(await createStore({ store, sqliteSynchronous: 'normal' }))
    await Promise.all(open.map((store) => store.open()))
    await run(...(open as [Store, Store]))
  } finally {
    await Promise.all(open.map((store) => store.close()))
  }
}

async function exported(store: Store): Promise<string> {
  let text = ''
  for await (const piece of exportText({ store, filter: { running: true } })) text += piece
  return text
}

async function imported(store: Store, text: string): Promise<void> {
  const onFault = (line: number, message: string) => assert.fail(`line ${line}: ${message}`)
  await importText({ input: pieces(text), store, onFault })
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function assertSame(source: Store, target: Store): Promise<void> {
  const { results } = await source.interceptions({ running: true, limit: 1000 })
  for (const stored of results)
    assert.deepEqual(plain(await target.interception(stored.id)), plain(stored))
  for (const store of [source, target]) await store.reindex()
  assert.deepEqual(plain(await target.sessions()), plain(await source.sessions()))
  const query = { groupBy: 'user', interval: 'hour' } as const
  assert.deepEqual(await target.stats(query), await source.stats(query))
}

/** As JSON: what is undefined is not there. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** Interceptions of a few users in a few sessions, some of which answer others' calls, in any order. */
function histories(): fc.Arbitrary<InterceptionRecord[]> {
  const member = fc.constantFrom('tookMs', 'took_ms', 'Type', 'a-b', 'msgId', 'x.y', '$z')
  const one = fc.record({
    ms: fc.integer({ min: 0, max: 20 }),
    user: fc.constantFrom('u-1', 'u-2'),
    session: fc.constantFrom(null, 's-1', 's-2'),
    answers: fc.option(fc.integer({ min: 0, max: 7 })),
    // A store numbers what was given the same number by the id: here none is.
    calls: fc.integer({ min: 0, max: 2 }),
    text: fc.string({ maxLength: 20, unit: 'grapheme' }),
    extra: fc.dictionary(member, fc.oneof(fc.jsonValue({ maxDepth: 1 }).map(plain), fc.string())),
    ended: fc.constantFrom(true, true, true, false),
    late: fc.boolean(),
  })
  return fc
    .array(one, { minLength: 1, maxLength: 8 })
    .map((all) => all.flatMap((each, index) => recordsOf(each, index)))
    .chain((records) => fc.shuffledSubarray(records, { minLength: records.length }))
}

interface One {
  readonly ms: number
  readonly user: string
  readonly session: string | null
  readonly answers: number | null
  readonly calls: number
  readonly text: string
  readonly extra: object
  readonly ended: boolean
  readonly late: boolean
}

function recordsOf(one: One, index: number): InterceptionRecord[] {
  const { ms, user, session, answers, calls, text, extra, ended, late } = one
  const id = interceptionId()
  const begun = start(
    id,
    {
      initiatorId: user,
      initiatorUsername: `${user}-name`,
      clientSessionId: session,
      sessionId: session ?? id,
      correlatingToolCallId: answers === null ? null : `call_${answers}_0`,
      metadata: extra as Record<string, unknown>,
    },
    ms,
  )
  const called = Array.from({ length: calls }, (_, call) => ({
    ...tool(id, 10 + call, call === 0 ? 'Bash' : 'Read'),
    toolCallId: `call_${index}_${call}`,
    input: text,
  }))
  const own = {
    ...extra,
    ...stamp(id, 'stranger', '0', 20),
    ...(late && { late }),
    type: 'stranger',
    truncated: ['x'],
    truncatedFrom: { x: { bytes: 1, sha256: 'y' } },
  } as unknown as InterceptionRecord
  return [
    begun,
    prompt(id, text),
    ...called,
    usage(id, { seq: 19, outputTokens: index }),
    own,
    ...(ended ? [end(id, { endedAt: at(ms + 5) }, 30)] : []),
  ]
}
