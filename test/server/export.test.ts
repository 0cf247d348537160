import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interceptionId } from '../../src/core/ids.ts'
import type { InterceptionQuery, StoredInterception } from '../../src/core/recorder.ts'
import type { Store } from '../../src/core/store.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { exportText } from '../../src/server/export.ts'
import { exportPages } from '../../src/server/export-pages.ts'
import { at, end, prompt, start, tool, usage } from '../support/stored-records.ts'

test('an export holds all that ended, the oldest first, each once, over many pages', async () => {
  const store = memoryRecorder()
  // Many of one millisecond: pages end amid them.
  for (let index = 0; index < 700; index++) await put(store, { ms: Math.trunc(index / 40) })
  await store.record([start(interceptionId())])
  const ids = await idsOf(exportText({ store }))
  assert.equal(ids.length, 700)
  assert.equal(new Set(ids).size, 700)
  const { results } = await store.interceptions({ limit: 1000, sort: 'oldest' })
  assert.deepEqual(
    ids,
    results.map(({ id }) => id),
  )
})

test('running ones are told where they are asked for', async () => {
  const store = memoryRecorder()
  await put(store)
  await store.record([start(interceptionId())])
  assert.equal((await idsOf(exportText({ store }))).length, 1)
  assert.equal((await idsOf(exportText({ store, filter: { running: true } }))).length, 2)
})

test('it comes to an end while more arrive than it can tell', async () => {
  const store = memoryRecorder()
  for (let index = 0; index < 150; index++) await put(store)
  let told = 0
  for await (const piece of exportText({ store })) {
    told += piece.split('\n').length - 1
    for (let index = 0; index < 200; index++) await put(store, { startedAt: soon() })
  }
  assert.equal(told, 150)
})

test('what is pruned or erased under its feet does not stop it', async () => {
  const store = memoryRecorder()
  for (let index = 0; index < 500; index++) await put(store, { ms: index })
  for (let index = 0; index < 300; index++) await put(store, { ms: 600 })
  const seen: string[] = []
  let pages = 0
  for await (const page of exportPages(store)) {
    seen.push(...page.map(({ id }) => id))
    pages++
    const last = page.at(-1)?.start.startedAt as string
    await store.prune({ before: new Date(Date.parse(last) + 1).toISOString() })
  }
  assert.ok(pages >= 3)
  assert.equal(seen.length, new Set(seen).size)
  // Of those that began in the millisecond of a page's last one the rest was pruned with it.
  assert.ok(seen.length >= 500 && seen.length <= 800, `${seen.length}`)
})

test('after a lost place it goes on amid those of the same millisecond', async () => {
  const store = memoryRecorder()
  for (let index = 0; index < 600; index++) await put(store, { ms: 0 })
  const seen: string[] = []
  for await (const page of exportPages(losing(store))) seen.push(...page.map(({ id }) => id))
  const { results } = await store.interceptions({ limit: 1000, sort: 'oldest' })
  assert.deepEqual(
    seen,
    results.map(({ id }) => id),
  )
})

test('pages are small where interceptions are big', async () => {
  const store = memoryRecorder()
  for (let index = 0; index < 110; index++)
    await put(store, { ms: index, text: 'x'.repeat(500_000) })
  const limits: (number | undefined)[] = []
  const watched: Pick<Store, 'interceptions'> = {
    interceptions: (query) => {
      limits.push(query?.limit)
      return store.interceptions(query)
    },
  }
  let seen = 0
  for await (const page of exportPages(watched)) seen += page.length
  assert.equal(seen, 110)
  assert.ok((limits.at(1) ?? 100) <= 20, `${limits}`)
})

test('filters narrow it', async () => {
  const store = memoryRecorder()
  for (const [ms, initiatorId] of [
    [0, 'u-1'],
    [1000, 'u-2'],
    [2000, 'u-1'],
  ] as const)
    await put(store, { ms, initiatorId })
  assert.equal((await idsOf(exportText({ store, filter: { initiator: 'u-1' } }))).length, 2)
  const filter = { initiator: 'u-1', startedBefore: at(1000) }
  assert.equal((await idsOf(exportText({ store, filter }))).length, 1)
})

test('CSV is a row each with the sums of what it used, under a row of names', async () => {
  const store = memoryRecorder()
  const id = interceptionId()
  await store.record([
    start(id, { annotations: { repo: 'a,b' } }),
    prompt(id, 'Hello'),
    tool(id, 2, 'Bash'),
    tool(id, 3, 'Bash'),
    tool(id, 4, 'Read'),
    usage(id, { key: '0', seq: 5, outputTokens: 50 }),
    usage(id, { key: '1', seq: 6, outputTokens: 7 }),
    end(id),
  ])
  const text = await textOf(exportText({ store, format: 'csv' }))
  const [names = '', row = '', ...rest] = text.split('\n')
  assert.deepEqual(rest, [''])
  assert.equal(
    names,
    'id,started_at,ended_at,initiator_id,initiator_username,provider,provider_name,format,model,client,session_id,thread_root_id,purpose,streaming,outcome,error_type,http_status,finish_reason,duration_ms,time_to_first_token_ms,repo,branch,issue,prompts,tool_calls,tools,input_tokens,output_tokens,cache_read_input_tokens,cache_write_input_tokens,cost_nano_usd,unpriced',
  )
  assert.equal(
    row,
    `${id},2026-01-15T10:30:00.000Z,2026-01-15T10:30:01.234Z,u-0,nobody,anthropic,anthropic,anthropic_messages,claude-sonnet-4-5,Claude Code,${id},,,true,completed,,200,end_turn,1234,120.5,"a,b",,,1,3,Bash Read,200,57,2000,0,2100000,0`,
  )
})

test('no cell of a CSV is a formula, and one that still runs has its sums until now', async () => {
  const store = memoryRecorder()
  const id = interceptionId()
  await store.record([
    start(id, {
      model: '=HYPERLINK("http://x")',
      client: '+1',
      initiatorUsername: '@sum',
      annotations: { repo: '-2', branch: '\tx', issue: '\rx' },
    }),
    usage(id, { seq: 1, outputTokens: 5 }),
  ])
  const text = await textOf(exportText({ store, format: 'csv', filter: { running: true } }))
  for (const cell of [
    `"'=HYPERLINK(""http://x"")"`,
    ",'+1,",
    ",'@sum,",
    ",'-2,",
    ",'\tx,",
    `"'\rx"`,
  ])
    assert.ok(text.includes(cell), cell)
  assert.match(text, /,100,5,1000,0,1050000,0\n$/)
})

interface Given {
  readonly ms?: number
  readonly startedAt?: string
  readonly initiatorId?: string
  readonly text?: string
}

async function put(
  store: Store,
  { ms = 0, startedAt = at(ms), initiatorId = 'u-0', text = 'Hello' }: Given = {},
): Promise<void> {
  const id = interceptionId()
  await store.record([start(id, { startedAt, initiatorId }), prompt(id, text), end(id)])
}

function soon(): string {
  return new Date(Date.now() + 1000).toISOString()
}

/** A store that knows no interception to begin after. */
function losing(store: Store): Pick<Store, 'interceptions'> {
  return {
    interceptions: ({ after, ...query }: InterceptionQuery = {}) =>
      store.interceptions({ ...query, ...(after !== undefined && { after: interceptionId() }) }),
  }
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

async function idsOf(pieces: AsyncIterable<string>): Promise<string[]> {
  const lines = (await textOf(pieces)).trimEnd().split('\n')
  return lines.map((line) => (JSON.parse(line) as Pick<StoredInterception, 'id'>).id)
}
