import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Diagnostics } from '../../src/core/diagnostics.ts'
import type { PruneQuery, PruneReport } from '../../src/core/store.ts'
import { readConfig } from '../../src/server/config.ts'
import { pruneLimits, startRetention } from '../../src/server/retention.ts'

const day = 86_400_000
const now = Date.parse('2026-06-01T00:00:00.000Z')

test('sixty days are kept unless somebody says otherwise; 0 keeps for ever', () => {
  assert.deepEqual(limits({}), { before: '2026-04-02T00:00:00.000Z' })
  assert.deepEqual(limits({ retention: '0' }), {})
  assert.deepEqual(limits({ retention: '0', retentionContent: '0' }), {})
  assert.deepEqual(limits({ retention: '1w' }), { before: '2026-05-25T00:00:00.000Z' })
})

test('content may go sooner than usage, and goes with it at the latest', () => {
  assert.deepEqual(limits({ retention: '30d', retentionContent: '1d' }), {
    before: '2026-05-02T00:00:00.000Z',
    contentBefore: '2026-05-31T00:00:00.000Z',
  })
  assert.deepEqual(limits({ retention: '0', retentionContent: '1d' }), {
    contentBefore: '2026-05-31T00:00:00.000Z',
  })
  const alone = { before: '2026-05-31T00:00:00.000Z' }
  for (const retentionContent of ['0', '1d', '2d'])
    assert.deepEqual(limits({ retention: '1d', retentionContent }), alone)
})

test('an age before all times is no fault', () => {
  assert.deepEqual(limits({ retention: '100000000d' }), { before: '1970-01-01T00:00:00.000Z' })
})

test('a negative age, a bare number and junk are refused', () => {
  for (const name of ['retention', 'retentionContent'])
    for (const text of ['-1d', '60', 'soon', '', '1y', 'NaN', '9e99d'])
      assert.throws(() => read({ [name]: text }), /is no duration/, text)
})

test('a run prunes in slices until all is done, and tells what it removed', async () => {
  const { prune, queries } = store([
    { interceptions: 5, contents: 0, done: false },
    { interceptions: 2, contents: 3, done: false },
    { interceptions: 0, contents: 4, done: true },
  ])
  const { diagnostics, lines, line } = listening()
  const retention = startRetention({ store: { prune }, config, diagnostics })
  await line(/pruned what was older/)
  await retention.stop()
  assert.equal(queries.length, 3)
  for (const query of queries) {
    assert.ok((query.budget ?? 0) > 0)
    assert.ok(Math.abs(Date.parse(query.before ?? '') - (Date.now() - 10 * day)) < 60_000)
    assert.ok(query.contentBefore)
  }
  assert.equal(diagnostics.total('pruned', { kind: 'interception' }), 7)
  assert.equal(diagnostics.total('pruned', { kind: 'content' }), 7)
  assert.deepEqual(lines, [
    'info pruned what was older than the retention {"interceptions":7,"contents":7}',
  ])
})

test('a store that is away is one line, and tried until it is back', async () => {
  const { prune } = store([
    new Error('it is away'),
    new Error('it is away'),
    new Error('it is away'),
    { interceptions: 1, contents: 0, done: true },
  ])
  const { diagnostics, lines, line } = listening()
  const retention = startRetention({ store: { prune }, config, diagnostics, retryAfter: 1 })
  await line(/pruned what was older/)
  await retention.stop()
  assert.deepEqual(
    lines.map((it) => it.replace(/ \{.*/, '')),
    [
      'warn the store could not be pruned, it is tried again: it is away',
      'info the store can be pruned again',
      'info pruned what was older than the retention',
    ],
  )
})

test('where another process prunes, or there is nothing to prune, nothing is said', async () => {
  const { prune, asked } = store([
    { interceptions: 0, contents: 0, done: false, busy: true },
    { interceptions: 0, contents: 0, done: true },
  ])
  const { diagnostics, lines } = listening()
  const retention = startRetention({ store: { prune }, config, diagnostics, every: 1 })
  await asked(2)
  await retention.stop()
  assert.deepEqual(lines, [])
})

test('stopping waits for the slice that runs, and begins no other', async () => {
  const { promise, resolve } = Promise.withResolvers<PruneReport>()
  let slices = 0
  const prune = () => {
    slices++
    return promise
  }
  const { diagnostics } = listening()
  const retention = startRetention({ store: { prune }, config, diagnostics })
  let stopped = false
  const stopping = retention.stop().then(() => {
    stopped = true
  })
  await new Promise(setImmediate)
  assert.equal(stopped, false)
  resolve({ interceptions: 1, contents: 0, done: false })
  await stopping
  assert.equal(slices, 1)
})

test('where all is kept for ever the store is never asked', async () => {
  const prune = () => assert.fail('asked')
  const { diagnostics } = listening()
  const keep = { retention: 0, retentionContent: undefined }
  await startRetention({ store: { prune }, config: keep, diagnostics }).stop()
})

const config = { retention: 10 * day, retentionContent: day }

function read(flags: Readonly<Record<string, string>>) {
  return readConfig({ flags, env: {}, folder: '/nowhere' })
}

function limits(flags: Readonly<Record<string, string>>) {
  return pruneLimits(read(flags), now)
}

/** Answers by the list, then with its last entry. */
function store(answers: (PruneReport | Error)[]) {
  const queries: PruneQuery[] = []
  const watchers: { readonly count: number; readonly resolve: () => void }[] = []
  return {
    queries,
    asked: (count: number) =>
      new Promise<void>((resolve) => {
        if (queries.length >= count) resolve()
        else watchers.push({ count, resolve })
      }),
    prune: async (query: PruneQuery): Promise<PruneReport> => {
      const answer = answers[Math.min(queries.length, answers.length - 1)]
      queries.push(query)
      for (const { count, resolve } of watchers) if (queries.length >= count) resolve()
      if (answer instanceof Error) throw answer
      return answer as PruneReport
    },
  }
}

function listening() {
  const lines: string[] = []
  const watchers: { readonly pattern: RegExp; readonly resolve: () => void }[] = []
  const diagnostics = new Diagnostics((level, message, fields) => {
    lines.push([level, message, ...(fields ? [JSON.stringify(fields)] : [])].join(' '))
    for (const { pattern, resolve } of watchers) if (pattern.test(message)) resolve()
  })
  const line = (pattern: RegExp) =>
    new Promise<void>((resolve) => watchers.push({ pattern, resolve }))
  return { diagnostics, lines, line }
}
