import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Diagnostics } from '../../../src/core/diagnostics.ts'
import { endId, startId } from '../../../src/core/ids.ts'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import type { Store } from '../../../src/core/store.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { at, idAt, told, tool } from '../../support/stored-records.ts'
import { damageFile } from './damage-file.ts'
import { newPath } from './stores.ts'

const hurt = idAt(0)
const session = { clientSessionId: 's', sessionId: 's' }
const records = [
  ...told({
    id: hurt,
    prompt: 'alpha hurt',
    tools: ['Bash', 'Read'],
    thoughts: ['hm'],
    usages: [{}],
    start: { ...session, annotations: { branch: 'b' }, processId: 'p-1' },
  }),
  ...told({ ms: 10, prompt: 'alpha well', tools: ['Bash'], usages: [{}], start: session }),
  ...told({ ms: 20, prompt: 'alpha alone', usages: [{}] }),
  ...told({ ms: 30, end: null, prompt: 'alpha still', tools: ['Bash'], start: session }),
]
const orphan = told({ ms: 40, prompt: 'nobody' }).slice(1)

/** What becomes of a row of `records`. */
const rows: Readonly<Record<string, string>> = {
  'text that is no JSON': "body = substr(body, 1, length(body) / 2) || '?'",
  'a brace that flipped': "body = ';' || substr(body, 2)",
  'a member cut in two': `body = replace(replace(body, '"startedAt"', '"startedAt'), '"', '')`,
  'nothing at all': "body = ''",
  'JSON that is no object': "body = '[1]'",
  'an object without what it had': `body = '{"x":1}'`,
  'text that is two bodies': "body = body || ',' || body",
  'a blob': "body = x'ff00fe'",
  'a number': 'body = 7',
  'a number that is too large': 'body = 9223372036854775807',
}
const kinds: Readonly<Record<string, string>> = {
  start: `id = '${startId(hurt)}'`,
  end: `id = '${endId(hurt)}'`,
  usage: "type = 'token_usage'",
  prompt: "type = 'prompt_usage'",
  call: "type = 'tool_usage'",
  thought: "type = 'model_thought'",
  'every record': '1',
}

const all = Object.entries(rows).flatMap(([what, change]) =>
  Object.entries(kinds).map(([kind, which]) => ({ what, change, kind, which })),
)

for (const { what, change, kind, which } of all)
  if (kind === 'start' || ['text that is no JSON', 'a blob'].includes(what))
    test(`${what} in place of ${kind}: all else is given, and it is told once`, async (t) => {
      const { store, lines } = await damaged(t, change, which)
      await stillAnswers(store)
      const [line = '', ...more] = lines.filter((each) => each.includes(hurt))
      assert.match(line, /are damaged and left out/)
      assert.deepEqual(more, [])
      const found = await store.interception(hurt)
      assert.ok(found?.damaged && found.damaged.length > 0)
      assert.deepEqual(
        [found.start.initiatorId, found.start.model, found.start.sessionId, found.start.startedAt],
        ['u-0', 'claude-sonnet-4-5', 's', at(0)],
      )
      assert.equal(found.start.annotations.branch, 'b')
      assert.deepEqual([found.end?.outcome, found.end?.endedAt], ['completed', at(1000)])
      if (kind !== 'prompt' && kind !== 'every record')
        assert.equal(found.userPrompts[0]?.prompt, 'alpha hurt')

      // What comes late is stored, and what is derived goes on to be.
      await store.record([{ ...tool(hurt, 77, 'Late'), createdAt: at(77) }])
      assert.equal((await store.interceptions({ tool: 'Late' })).count, 1)
      const { interceptions, damaged: lost = 0 } = await store.reindex()
      assert.equal(interceptions, 4)
      assert.ok(lost > 0)
      await stillAnswers(store)
      const { faults, damaged: count = 0 } = await store.verify()
      assert.match(faults.join('\n'), new RegExp(`damaged.*${hurt}`))
      assert.equal(faults.length, 1, faults.join('\n'))
      assert.equal(count, lost)

      // The way out: what is written again takes their place.
      await store.record(records)
      assert.equal((await store.interception(hurt))?.damaged, undefined)
      const { faults: none } = await store.verify()
      assert.deepEqual(none, [])
      await store.prune({ contentBefore: at(5000) })
      await store.erase({ initiator: 'nobody' })
      assert.equal((await store.interceptions({ running: true })).count, 0)
    })

test('a start and an end of another type are known by their ids', async (t) => {
  const { store, lines } = await damaged(
    t,
    "type = 'interception_x'",
    `id IN ('${startId(hurt)}', '${endId(hurt)}')`,
  )
  await stillAnswers(store)
  const found = await store.interception(hurt)
  assert.equal(found?.start.credentialHint, 'sk-a***efgh')
  assert.equal(found?.end?.responseBytes, 123_456)
  assert.equal(lines.length, 1)
  await store.reindex()
  await stillAnswers(store)
  const { damaged: count } = await store.verify()
  assert.equal(count, 2)
})

test('a record without its time or place is given, and told', async (t) => {
  const { store } = await damaged(
    t,
    "created_at = x'00', seq = 'x'",
    "type IN ('model_thought', 'prompt_usage')",
  )
  await stillAnswers(store)
  const found = await store.interception(hurt)
  assert.equal(found?.modelThoughts[0]?.content, 'hm')
  assert.deepEqual(found?.damaged?.map(({ type }) => type).sort(), [
    'model_thought',
    'prompt_usage',
  ])
  assert.equal((await store.verify()).damaged, 2)
  await store.reindex()
  await stillAnswers(store)
  assert.doesNotMatch((await store.verify()).faults.join(), /run reindex/)
})

test('content that is due goes also where it is damaged; what is billed stays', async (t) => {
  const { store, path } = await damaged(t, "body = '{'", '1')
  const before = { contentBefore: at(5) }
  assert.equal((await store.prune({ ...before, dryRun: true })).contents, 1)
  assert.equal((await store.prune(before)).contents, 1)
  const database = new DatabaseSync(path)
  const types = database
    .prepare(
      `SELECT DISTINCT type FROM records WHERE interception_id = ? AND body <> '' ORDER BY 1`,
    )
    .all(hurt)
    .map(({ type }) => type)
  database.close()
  assert.deepEqual(types, ['interception_end', 'interception_start', 'token_usage'])
  assert.equal((await store.interception(hurt))?.damaged?.length, 7)
  assert.equal((await store.prune({ ...before, dryRun: true })).contents, 0)
  await store.erase({ initiator: 'nobody' })
  assert.deepEqual((await store.verify()).faults, [])
})

test('what hangs below by a damaged call still does after reindex', async (t) => {
  const child = told({ ms: 50, start: { ...session, correlatingToolCallId: `${hurt}-3` } })
  const { store } = await damaged(t, "body = '{'", "type = 'tool_usage'", child)
  const id = child[0].interceptionId
  assert.equal((await store.interception(id))?.start.threadParentId, hurt)
  await store.reindex()
  assert.equal((await store.interception(id))?.start.threadParentId, hurt)
  assert.equal((await store.verify()).faults.length, 1)
})

test('reindex makes a text index anew that cannot be read, under a store that is in use', async (t) => {
  const { store, path } = await damaged(t, 'seq = seq', '1')
  damageFile(path, 'DELETE FROM texts_data WHERE id > 10')
  assert.match((await store.verify()).faults.join('\n'), /fts5.*: run reindex/)
  await store.reindex()
  assert.deepEqual((await store.verify()).faults, [])
  assert.equal((await store.interceptions({ search: 'alpha' })).count, 3)
})

async function damaged(
  t: { after(end: () => Promise<void>): void },
  change: string,
  which: string,
  more: readonly InterceptionRecord[] = [],
) {
  const path = newPath()
  const lines: string[] = []
  const diagnostics = new Diagnostics((_level, message) => lines.push(message))
  const store = sqliteRecorder({ path, processId: 'a-process' })
  await store.open()
  await store.record([...records, ...orphan, ...more])
  await store.close()
  damageFile(path, `UPDATE records SET ${change} WHERE interception_id = '${hurt}' AND ${which}`)
  await store.open({ diagnostics } as never)
  t.after(() => store.close())
  return { store, lines, path }
}

async function stillAnswers(store: Store): Promise<void> {
  for (const query of [{}, { search: 'alpha' }, { sessionId: 's' }, { tool: 'Bash' }]) {
    const { count, results } = await store.interceptions({ ...query, running: true })
    assert.equal(count, results.length, JSON.stringify(query))
    assert.ok(results.length >= 2, JSON.stringify(query))
  }
  assert.equal((await store.interceptions({ running: true })).count, 4)
  const { sessions } = await store.sessions()
  assert.equal(sessions.length, 2)
  const detail = await store.session({ id: 's' })
  assert.equal(detail?.type === 'session' && detail.threads.length, 2)
  assert.equal((await store.stats({ groupBy: 'user' }))[0]?.interceptions, 3)
  const { cursor } = await store.feed({})
  const { results } = await store.feed({ after: cursor.replace(/\d+$/, '0') })
  assert.equal(results.length, 3)
}
