import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import type { Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { at, idAt, told } from '../../support/stored-records.ts'
import { answersOf, assertAnswers } from '../store-contract/answers.ts'
import { damageFile } from './damage-file.ts'
import { inThreadStore } from './in-thread.ts'
import { newPath } from './stores.ts'

/** Threads, sessions of several, tools, words, one that runs and an orphan's: something in every table. */
function history(): InterceptionRecord[] {
  const root = idAt(0)
  const records = [
    ...told({ id: root, prompt: 'alpha beta', tools: ['Bash', 'Read'], usages: [{}] }),
    ...told({ ms: 5, start: { correlatingToolCallId: `${root}-2` }, tools: ['Read'] }),
    ...told({ ms: 11, end: null, prompt: 'still at it' }),
  ]
  for (let n = 0; n < 24; n++) {
    const session = n % 3 === 0 ? {} : { clientSessionId: `s-${n % 5}`, sessionId: `s-${n % 5}` }
    const who = n % 2 === 0 ? {} : { initiatorId: 'u-1', initiatorUsername: 'anna' }
    const start = { ...session, ...who, model: `m-${n % 3}`, client: n % 4 ? 'Zed' : 'Codex' }
    const tools = n % 2 === 0 ? ['Bash'] : []
    const prompt = n % 3 === 1 ? null : `alpha ${n}`
    records.push(...told({ ms: 20 + n * 1_200_000, start, prompt, tools, usages: [{}] }))
  }
  const orphan = told({ ms: 13, prompt: 'nobody knows' })
  return [...records, ...orphan.slice(1, 2)]
}

const tables = [
  'interceptions',
  'offers',
  'summaries',
  'sessions',
  'names',
  'initiators',
  'combos',
  'kinds',
  'cells',
  'tool_cells',
  'totals',
  'tool_uses',
  'texts',
  'feed',
]

const damages: Readonly<Record<string, string>> = {
  ...Object.fromEntries(tables.map((name) => [`no ${name}`, `DELETE FROM ${name}`])),
  ...Object.fromEntries(
    ['summaries', 'sessions', 'names', 'initiators', 'combos', 'kinds'].map((name) => [
      `every second row of ${name}`,
      `DELETE FROM ${name} WHERE key % 2 = 0`,
    ]),
  ),
  'every second interception': 'DELETE FROM interceptions WHERE started_at % 2 = 0',
  'nothing derived at all': tables.map((name) => `DELETE FROM ${name}`).join(';'),
  'interceptions that never were': `
    INSERT INTO interceptions (id, ended, started_at, ended_at, initiator_id)
    VALUES ('01900000-0000-7000-8000-000000000000', 1, 5, 6, 'u-9')`,
  'ends that are not known': 'UPDATE interceptions SET ended = 0, ended_at = NULL, outcome = NULL',
  'ends that never were': 'UPDATE interceptions SET ended = 1, ended_at = 7',
  'other starts': `UPDATE interceptions SET
    started_at = 1, initiator_id = 'x', model = 'x', repo = NULL, wanted_key = NULL`,
  'other links': `UPDATE interceptions SET
    thread_parent_id = NULL, thread_root_id = NULL, session_id = 'x'`,
  'offers of what was not called':
    "INSERT INTO offers SELECT initiator_id, key || '9', started_at, interception_id FROM offers",
  'offers of nobody': "UPDATE offers SET interception_id = 'x'",
  'sessions under other names': "UPDATE sessions SET id = id || 'x'",
  'sessions without figures': 'UPDATE sessions SET interceptions = 0, threads = 0',
  'sessions of other kinds': 'UPDATE sessions SET kind = 999, first_id = 0, prompt_id = NULL',
  'summaries in other sessions': 'UPDATE summaries SET session = session % 3 + 1',
  'summaries of other times': 'UPDATE summaries SET ended_at = 1, prompt_at = 1, root = 0',
  'summaries with other tools': `UPDATE summaries SET tools = '{"Write":4}', combo = combo + 100`,
  'summaries at other places': 'UPDATE summaries SET key = key + (7 << 20)',
  'summaries of nobody': "UPDATE summaries SET id = id || 'x' WHERE key % 2 = 0",
  'other names': "UPDATE names SET text = text || 'x'",
  'other initiators': "UPDATE initiators SET id = id || 'x'",
  'other combos': 'UPDATE combos SET model = model + 1, interceptions = 5',
  'sums of other hours': 'UPDATE cells SET at = at + 3600000, output_tokens = 1',
  'totals of other days': 'UPDATE totals SET at = at + 86400000; UPDATE tool_cells SET at = at + 1',
  'tools that were not used': 'UPDATE tool_uses SET key = key + 1, calls = 9',
  'texts that nobody wrote': `
    DELETE FROM texts; INSERT INTO texts (rowid, text) SELECT key, 'alpha beta' FROM summaries;
    INSERT INTO texts (rowid, text) VALUES (77, 'alpha')`,
  'a text in another place': 'UPDATE texts_docsize SET id = id + 1 WHERE id % 2 = 0',
  'a text that is not indexed':
    'DELETE FROM texts WHERE rowid = (SELECT max(key) FROM summaries WHERE text_mark <> 0)',
  'a text index in pieces': 'DELETE FROM texts_data WHERE id > 10',
  'a text index without its head': 'DELETE FROM texts_data; DELETE FROM texts_idx',
  'other words in the text index': `
    DELETE FROM texts WHERE rowid = (SELECT max(key) FROM summaries WHERE text_mark <> 0);
    INSERT INTO texts (rowid, text)
      SELECT max(key), 'alpha 22 delta' FROM summaries WHERE text_mark <> 0`,
  'rows missing in an index': `
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(sql, 'WHERE repo IS NOT NULL AND ended = 1', '')
      WHERE name = 'interceptions_by_repo';
    PRAGMA schema_version = 999`,
  'places in the feed to be given again': 'DELETE FROM sqlite_sequence',
  'two in one place in the feed': `
    UPDATE summaries SET feed = (SELECT min(feed) FROM summaries) WHERE feed % 3 = 0`,
  'places in the feed of others': 'UPDATE feed SET key = key + 1',
  'tools that are no JSON': `UPDATE summaries SET tools = '{"Bash'`,
  'tools that are no object': "UPDATE summaries SET tools = 'null'",
  'names of tokens that are no JSON': "UPDATE summaries SET token_metadata = x'00'",
  'figures that no number holds': `
    UPDATE summaries SET input_tokens = 9223372036854775807 WHERE key % 2 = 0`,
  'a text for a figure': "UPDATE summaries SET output_tokens = 'many', feed = 'x'",
  'sessions with other figures': 'UPDATE sessions SET output_tokens = output_tokens + 1',
  'sessions at other times': "UPDATE sessions SET started_at = 'never', last_active_at = 1e300",
  'sessions with tokens that are no JSON': `UPDATE sessions SET token_metadata = '{"a":5'`,
  'sessions with tokens that are no sums': `UPDATE sessions SET token_metadata = '{"a":5}'`,
  'sessions with figures that no number holds': `
    UPDATE sessions SET input_tokens = 9223372036854775807, threads = 9223372036854775807`,
  'sessions with other prompts': "UPDATE sessions SET prompt_id = prompt_id || 'x'",
  'kinds that are no JSON': "UPDATE kinds SET models = '[\"m-' || key, providers = '5'",
  'kinds of another count': 'UPDATE kinds SET sessions = sessions + 1',
  'an hour too many': 'INSERT INTO cells (span, at, combo) VALUES (0, 7200000, 1)',
  'sums of nothing': 'INSERT INTO totals (dimension, at, name) VALUES (9, 0, 0)',
  'one figure of one hour': `
    UPDATE cells SET input_tokens = input_tokens + 1
    WHERE span = 0 AND at = (SELECT max(at) FROM cells WHERE span = 0)`,
  'figures that moved from hour to hour': `
    UPDATE cells SET prompts = prompts + 1 WHERE span = 0 AND at = (SELECT min(at) FROM cells);
    UPDATE cells SET prompts = prompts - 1 WHERE span = 0 AND at = (SELECT max(at) FROM cells)`,
  'one figure of one tool': `
    UPDATE tool_cells SET output_tokens = output_tokens + 1
    WHERE span = 0 AND at = (SELECT max(at) FROM tool_cells WHERE span = 0)`,
  'one total': 'UPDATE totals SET cost_nano_usd = cost_nano_usd + 1 WHERE dimension = 4',
}

/** Whatever of it is wrong: nothing that is derived ends a list. */
async function stillAnswers(store: Store): Promise<void> {
  await store.interceptions({ running: true, limit: 1000 })
  const { sessions } = await store.sessions()
  for (const { id, initiatorId } of sessions) await store.session({ id, initiator: initiatorId })
  const { cursor } = await store.feed({})
  await store.feed({ after: cursor.replace(/\d+$/, '0') })
}

const records = history()
const more = [
  ...told({ ms: 30, prompt: 'alpha later', start: { clientSessionId: 's-1', sessionId: 's-1' } }),
  ...told({ ms: 31, tools: ['Bash'], start: { initiatorId: 'u-1', initiatorUsername: 'anna' } }),
]
const memory = memoryRecorder()
let expected: Readonly<Record<string, unknown>>
let expectedLater: Readonly<Record<string, unknown>>

before(async () => {
  await memory.record(records)
  expected = await answersOf(memory)
  await memory.record(more)
  expectedLater = await answersOf(memory)
})

for (const [name, sql] of Object.entries(damages)) {
  test(`reindex mends: ${name}`, async () => {
    const path = newPath()
    const store = inThreadStore(path)
    await store.open()
    await store.record(records)
    damageFile(path, sql)
    const { faults } = await store.verify()
    assert.ok(faults.length > 0, 'verify finds it')
    for (const fault of faults) assert.match(fault, /: run reindex$/)
    await stillAnswers(store)
    await store.reindex()
    assertAnswers(await answersOf(store), expected, name)
    await store.record(more)
    assertAnswers(await answersOf(store), expectedLater, `${name}, and records after it`)
    const { results } = await store.interceptions({ startedAfter: at(0), limit: 1000 })
    assert.equal(results.length, 28)
    await store.close()
  })
}
