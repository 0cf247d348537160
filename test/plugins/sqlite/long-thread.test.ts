import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interceptionId } from '../../../src/core/ids.ts'
import type { Store } from '../../../src/core/store.ts'
import { openToRead } from '../../../src/plugins/sqlite/open-database.ts'
import { type Ask, storeAnswers } from '../../../src/plugins/sqlite/store-answers.ts'
import { storeReader } from '../../../src/plugins/sqlite/store-reader.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { at, end, prompt, start, tool, usage } from '../../support/stored-records.ts'
import { newPath } from './stores.ts'

const members = 600
const length = 20_000
const session = 'long'

test('a long thread comes in messages that hold up nobody, and is whole', async () => {
  await withLongThread(async ({ path, ids, recorder }) => {
    const database = openToRead({ path, synchronous: 'normal', processId: '' })
    const reader = storeReader(database)
    const sizes: number[] = []
    const ask = (async (method: 'session' | 'some', query: unknown) => {
      const answer = reader[method](query as never)
      sizes.push(JSON.stringify(answer).length)
      return answer
    }) as unknown as Ask
    const found = await storeAnswers(ask).session({ id: session })
    assert.ok(found?.type === 'session')
    assert.deepEqual(found, await recorder.session({ id: session }))
    const [thread, ...others] = found.threads
    assert.equal(others.length, 0)
    assert.equal(thread?.prompt, 'Go')
    assert.equal(thread?.measures.interceptions, members)
    assert.ok(thread?.actions.map(({ interceptionId }) => interceptionId).join() === ids.join())
    assert.ok(sizes.length > 4, `${sizes}`)
    for (const size of sizes) assert.ok(size < 4 * 1024 ** 2, `${sizes}`)
    database.close()
  })
})

test('what goes while a long thread is read is left out, and no more than that', async () => {
  await withLongThread(async ({ path, ids, recorder }) => {
    const database = openToRead({ path, synchronous: 'normal', processId: '' })
    const reader = storeReader(database)
    let asked = 0
    const ask = (async (method: 'session' | 'some', query: unknown) => {
      const answer = reader[method](query as never)
      if (asked++ === 0) await recorder.prune({ before: at(0.9 * members) })
      return answer
    }) as unknown as Ask
    const found = await storeAnswers(ask).session({ id: session })
    assert.ok(found?.type === 'session')
    const told = found.threads[0]?.actions.map(({ interceptionId }) => interceptionId) ?? []
    // The first message, and what was not pruned.
    assert.ok(told.length > members / 10 && told.length < members, `${told.length}`)
    assert.ok(told.join() === ids.filter((id) => told.includes(id)).join())
    assert.deepEqual(told.slice(-members / 10), ids.slice(-members / 10))
    database.close()
  })
})

interface LongThread {
  readonly path: string
  readonly ids: readonly string[]
  readonly recorder: Store
}

async function withLongThread(use: (given: LongThread) => Promise<void>): Promise<void> {
  const path = newPath()
  const ids = Array.from({ length: members }, () => interceptionId())
  const recorder = sqliteRecorder({ path, synchronous: 'normal' })
  const records = ids.map((id, index) => recordsOf(id, index, ids[0]))
  for (let from = 0; from < members; from += 50)
    await recorder.record(records.slice(from, from + 50).flat())
  await use({ path, ids, recorder })
  await recorder.close()
}

function recordsOf(id: string, index: number, root: string | undefined) {
  return [
    start(id, {
      startedAt: at(index),
      sessionId: session,
      threadRootId: index === 0 ? null : (root ?? null),
    }),
    ...(index === 0 ? [prompt(id, 'Go')] : []),
    { ...tool(id, 2, 'Bash'), input: 'x'.repeat(length) },
    usage(id, { seq: 3, outputTokens: 5 }),
    end(id, { endedAt: at(index + 1) }, 4),
  ]
}
