import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Diagnostics } from '../../../src/core/diagnostics.ts'
import { endId, startId } from '../../../src/core/ids.ts'
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

async function damaged(
  t: { after(end: () => Promise<void>): void },
  change: string,
  which: string,
) {
  const path = newPath()
  const lines: string[] = []
  const diagnostics = new Diagnostics((_level, message) => lines.push(message))
  const store = sqliteRecorder({ path, processId: 'a-process' })
  await store.open()
  await store.record([...records, ...orphan])
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
