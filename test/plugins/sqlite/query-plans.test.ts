import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { storeReader } from '../../../src/plugins/sqlite/store-reader.ts'
import { at, idAt, told } from '../../support/stored-records.ts'
import { inThreadStore } from './in-thread.ts'
import { newPath } from './stores.ts'

const rare = { provider: 'p', providerName: 'rare', model: 'm', client: 'c', initiatorId: 'u-9' }

test('no list, sum or search reads all interceptions or records', async (t) => {
  const path = newPath()
  const store = inThreadStore(path)
  for (let ms = 0; ms < 60; ms++)
    await store.record(
      told({
        id: idAt(ms),
        ms: ms * 7_200_000,
        prompt: 'alpha',
        tools: ['Bash'],
        // One in sixty is rare: it is looked for in another way.
        start: ms === 30 ? { ...rare, annotations: { branch: 'x' } } : {},
      }),
    )
  await store.close()

  const database = new DatabaseSync(path, { readOnly: true })
  t.after(() => database.close())
  const asked = new Set<string>()
  const spied = {
    exec: (sql: string) => database.exec(sql),
    prepare: (sql: string) => {
      asked.add(sql)
      return database.prepare(sql)
    },
  } as DatabaseSync
  const reader = storeReader(spied)
  const window = { startedAfter: at(10_000_000), startedBefore: at(300_000_001) }
  const some = [
    {},
    { initiator: 'u-9' },
    { visibleTo: 'u-0' },
    { provider: 'anthropic' },
    { provider: 'p' },
    { providerName: 'rare' },
    { model: 'm' },
    { client: 'Claude Code' },
    { model: 'm', client: 'c' },
    window,
    { ...window, model: 'm' },
  ]
  const lists = [
    ...some,
    { outcome: 'completed' as const },
    { tool: 'Bash' },
    { tool: 'Bash', model: 'm' },
    { sessionId: 's' },
    { search: 'alpha' },
    { search: 'alpha', tool: 'Bash', initiator: 'u-0' },
    { annotations: { repo: 'sluice' } },
    { annotations: { branch: 'x' }, client: 'c' },
    { running: true, search: 'alpha', tool: 'Bash' },
  ]
  assert.equal(reader.interceptions({ limit: 2 }).texts.length, 2)
  for (const query of lists)
    for (const page of [{}, { offset: 40, limit: 3 }, { sort: 'oldest' as const }])
      reader.interceptions({ ...query, ...page })
  for (const query of some)
    for (const sort of ['active', 'started', 'oldest'] as const) reader.sessions({ ...query, sort })
  reader.sessions({ sessionId: 's' })
  reader.session({ id: idAt(0) })
  for (const groupBy of ['user', 'model', 'tool', 'none'] as const)
    for (const query of some) reader.stats({ groupBy, ...query })
  for (const name of ['model', 'tool', 'initiator'] as const) {
    reader.values({ of: name })
    reader.values({ of: name, visibleTo: 'u-0' })
  }
  reader.feed({ after: reader.feed({}).cursor, visibleTo: 'u-0' })

  assert.ok(asked.size > 50)
  for (const sql of asked) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
    for (const { detail } of plan) {
      assert.doesNotMatch(
        String(detail),
        // Those that run are few, and in an index of their own.
        /^SCAN (summaries|records|interceptions(?! USING INDEX interceptions_open)|tool_uses|cells|tool_cells|feed|offers)\b/,
        `${detail} in ${sql}`,
      )
    }
  }
})
