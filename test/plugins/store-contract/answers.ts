import assert from 'node:assert/strict'
import type { InterceptionQuery, StoreFilter } from '../../../src/core/recorder.ts'
import type { StatsKey, Store, ValueName } from '../../../src/core/store.ts'

const filters: readonly StoreFilter[] = [
  {},
  { visibleTo: 'u-1' },
  { initiator: 'anna' },
  { model: 'm-1', provider: 'openai' },
  { client: 'Zed' },
  { startedAfter: '2026-01-15T10:45:00.000Z', startedBefore: '2026-01-16T10:30:00.001Z' },
]

const lists: readonly InterceptionQuery[] = [
  { sessionId: 's' },
  { tool: 'Bash' },
  { outcome: 'aborted' },
  { search: 'alpha' },
  { search: 'beta bash' },
  { search: '"alpha beta"', running: true },
  { sort: 'oldest', limit: 3, offset: 1 },
]

const keys: readonly StatsKey[] = [
  'user',
  'model',
  'client',
  'provider',
  'providerName',
  'tool',
  'none',
]
const names: readonly ValueName[] = [
  'model',
  'client',
  'provider',
  'providerName',
  'tool',
  'initiator',
]

/** All that a small store answers but its feed, as plain data: what two stores of the same records agree on. */
export async function answersOf(store: Store): Promise<Readonly<Record<string, unknown>>> {
  const answers: Record<string, unknown> = {}
  const note = async (query: string, details: unknown, answer: Promise<unknown>) => {
    answers[`${query} ${JSON.stringify(details)}`] = JSON.parse(JSON.stringify(await answer))
  }
  await note('interceptions', 'all', store.interceptions({ running: true, limit: 1000 }))
  for (const query of [...filters, ...lists])
    await note('interceptions', query, idsOf(store, query))
  const { sessions } = await store.sessions()
  for (const query of filters) await note('sessions', query, store.sessions(query))
  for (const sort of ['started', 'oldest'] as const)
    await note('sessions', sort, store.sessions({ sort, limit: 3 }))
  for (const { id, initiatorId: initiator } of sessions) {
    await note('session', { id }, store.session({ id }))
    for (const query of [{ aside: true }, { limit: 1 }])
      await note('session', { id, initiator, query }, store.session({ id, initiator, ...query }))
  }
  for (const of of names) await note('values', of, store.values({ of }))
  for (const groupBy of keys)
    for (const filter of filters)
      await note('stats', { groupBy, filter }, store.stats({ groupBy, ...filter }))
  for (const groupBy of ['tool', 'user', 'none'] as const)
    for (const interval of ['hour', 'day'] as const)
      await note('stats', { groupBy, interval }, store.stats({ groupBy, interval }))
  const { faults, ...counts } = await store.verify()
  assert.deepEqual(faults, [], 'verify finds no fault')
  return { ...answers, verify: counts }
}

async function idsOf(store: Store, query: InterceptionQuery) {
  const { count, results } = await store.interceptions(query)
  return { count, ids: results.map(({ id }) => id) }
}

/** One answer at a time, so that a failure names the query. */
export function assertAnswers(
  actual: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
  when: string,
): void {
  for (const [query, answer] of Object.entries(expected))
    assert.deepEqual(actual[query], answer, `${when}: ${query}`)
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), when)
}
