import assert from 'node:assert/strict'
import { type Measures, noMeasures } from '../../../src/core/measures.ts'
import type { StatsQuery, StatsRow, Store } from '../../../src/core/store.ts'
import { at, idAt, start, told } from '../../support/stored-records.ts'
import type { Check } from './check.ts'

const minute = 60 * 1000
const hour = 60 * minute
const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }

/** From 10:30 on: two of anna's in the first hour, one in the next, one of ben's the day after, and one that runs. */
async function filled(store: Store): Promise<void> {
  await store.record([
    ...told({
      ms: 0,
      start: { ...anna, model: 'm-1', client: 'Zed' },
      prompt: 'x',
      tools: ['Bash', 'Bash', 'Read'],
      usages: [{ inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, costNanoUsd: 10 }],
    }),
    ...told({
      ms: 10 * minute,
      start: { ...anna, model: 'm-2', provider: 'openai', providerName: 'eu', purpose: 'title' },
      prompt: 'a title’s',
      tools: ['Read'],
      usages: [{ inputTokens: 10, outputTokens: 20, costNanoUsd: null }],
    }),
    ...told({
      ms: 30 * minute,
      start: { ...anna, model: 'm-1' },
      prompt: 'y',
      end: { outcome: 'failed' },
      usages: [{ inputTokens: 100, outputTokens: 200, costNanoUsd: 1000 }, { inputTokens: 1000 }],
    }),
    ...told({ ms: 24 * hour, start: { ...ben, model: 'm-1' }, tools: ['Read'] }),
    ...told({
      ms: minute,
      start: { ...ben, model: 'm-3' },
      tools: ['Run'],
      usages: [{}],
      end: null,
    }),
  ])
}

/** Sums by key and time. */
export function statsContract(check: Check): void {
  check('each key sums what ended, the most interceptions first', async (store) => {
    await filled(store)
    const hers = sum({
      interceptions: 3,
      prompts: 2,
      toolCalls: 4,
      inputTokens: 1111,
      outputTokens: 232,
      cacheReadInputTokens: 3003,
      costNanoUsd: 1_051_010,
      unpriced: 1,
    })
    const his = sum({ interceptions: 1, toolCalls: 1 })
    await sums(store, { groupBy: 'user' }, [
      { key: 'anna', initiatorId: 'u-1', ...hers },
      { key: 'ben', initiatorId: 'u-2', ...his },
    ])
    await sums(store, { groupBy: 'none' }, [{ key: '', ...hers, interceptions: 4, toolCalls: 5 }])
    for (const [groupBy, expected] of [
      [
        'model',
        [
          ['m-1', 3, 4, 1101],
          ['m-2', 1, 1, 10],
        ],
      ],
      [
        'client',
        [
          ['Claude Code', 3, 2, 1110],
          ['Zed', 1, 3, 1],
        ],
      ],
      [
        'provider',
        [
          ['anthropic', 3, 4, 1101],
          ['openai', 1, 1, 10],
        ],
      ],
      [
        'providerName',
        [
          ['anthropic', 3, 4, 1101],
          ['eu', 1, 1, 10],
        ],
      ],
    ] as const)
      assert.deepEqual(
        (await store.stats({ groupBy })).map(brief),
        expected,
        `grouped by ${groupBy}`,
      )
  })

  check('by tool: its own calls, and all else of those that called it', async (store) => {
    await filled(store)
    await sums(store, { groupBy: 'tool' }, [
      {
        key: 'Read',
        ...sum({
          interceptions: 3,
          prompts: 1,
          toolCalls: 3,
          inputTokens: 11,
          outputTokens: 22,
          cacheReadInputTokens: 1003,
          costNanoUsd: 10,
          unpriced: 1,
        }),
      },
      {
        key: 'Bash',
        ...sum({
          interceptions: 1,
          prompts: 1,
          toolCalls: 2,
          inputTokens: 1,
          outputTokens: 2,
          cacheReadInputTokens: 3,
          costNanoUsd: 10,
        }),
      },
    ])
    const odd = ['constructor', '__proto__', '$x', 'a.b', '']
    await store.record(told({ start: { ...ben, model: 'odd' }, tools: [...odd, ...odd] }))
    const rows = await store.stats({ groupBy: 'tool', model: 'odd' })
    assert.deepEqual(
      rows.map(({ key, toolCalls }) => [key, toolCalls]),
      odd.toSorted().map((key) => [key, 2]),
    )
  })

  check('buckets are hours and days of UTC, the oldest first', async (store) => {
    await elsewhere(async () => {
      await filled(store)
      const rows = async (query: StatsQuery) =>
        (await store.stats(query)).map(({ bucket, key, interceptions }) => [
          bucket,
          key,
          interceptions,
        ])
      assert.deepEqual(await rows({ groupBy: 'model', interval: 'hour' }), [
        ['2026-01-15T10:00:00.000Z', 'm-1', 1],
        ['2026-01-15T10:00:00.000Z', 'm-2', 1],
        ['2026-01-15T11:00:00.000Z', 'm-1', 1],
        ['2026-01-16T10:00:00.000Z', 'm-1', 1],
      ])
      assert.deepEqual(await rows({ groupBy: 'none', interval: 'day' }), [
        ['2026-01-15T00:00:00.000Z', '', 3],
        ['2026-01-16T00:00:00.000Z', '', 1],
      ])
      assert.deepEqual(await rows({ groupBy: 'tool', interval: 'day' }), [
        ['2026-01-15T00:00:00.000Z', 'Read', 2],
        ['2026-01-15T00:00:00.000Z', 'Bash', 1],
        ['2026-01-16T00:00:00.000Z', 'Read', 1],
      ])
      assert.deepEqual(
        await rows({ groupBy: 'user', interval: 'day', limit: 1, sort: 'prompts' }),
        [
          ['2026-01-15T00:00:00.000Z', 'anna', 3],
          ['2026-01-16T00:00:00.000Z', 'ben', 1],
        ],
      )
      assert.deepEqual(
        await rows({ groupBy: 'model', interval: 'hour', limit: 1, sort: 'inputTokens' }),
        [
          ['2026-01-15T10:00:00.000Z', 'm-2', 1],
          ['2026-01-15T11:00:00.000Z', 'm-1', 1],
          ['2026-01-16T10:00:00.000Z', 'm-1', 1],
        ],
      )
    })
  })

  check('sorts by any measure, then by key, and cuts', async (store) => {
    await filled(store)
    for (const [query, expected] of [
      [{ groupBy: 'client', sort: 'toolCalls' }, ['Zed', 'Claude Code']],
      [{ groupBy: 'model', sort: 'unpriced' }, ['m-2', 'm-1']],
      [{ groupBy: 'model', sort: 'costNanoUsd' }, ['m-1', 'm-2']],
      [{ groupBy: 'model', sort: 'costNanoUsd', limit: 1 }, ['m-1']],
      // Nothing was written to a cache: by key.
      [{ groupBy: 'user', sort: 'cacheWriteInputTokens' }, ['anna', 'ben']],
      [{ groupBy: 'tool', sort: 'toolCalls' }, ['Read', 'Bash']],
    ] as const)
      assert.deepEqual(
        (await store.stats(query)).map(({ key }) => key),
        expected,
        JSON.stringify(query),
      )
  })

  check('users of one name are told apart', async (store) => {
    await store.record(told({ start: { ...anna, initiatorUsername: 'x' } }))
    await store.record(told({ ms: 1, start: { ...ben, initiatorUsername: 'x' } }))
    const rows = await store.stats({ groupBy: 'user' })
    assert.deepEqual(
      rows.map(({ key, initiatorId, interceptions }) => [key, initiatorId, interceptions]),
      [
        ['x', 'u-1', 1],
        ['x', 'u-2', 1],
      ],
    )
  })

  check('filters narrow the sums', async (store) => {
    await filled(store)
    for (const [filter, expected] of [
      [{}, 4],
      [{ visibleTo: 'u-1' }, 3],
      [{ visibleTo: 'anna' }, 0],
      [{ initiator: 'anna' }, 3],
      [{ initiator: 'u-2' }, 1],
      [{ initiator: 'ben', visibleTo: 'u-1' }, 0],
      [{ provider: 'openai' }, 1],
      [{ providerName: 'anthropic' }, 3],
      [{ model: 'm-1' }, 3],
      [{ model: 'm-3' }, 0],
      [{ client: 'Zed' }, 1],
      [{ client: 'Zed', model: 'm-1', provider: 'anthropic', initiator: 'anna' }, 1],
      [{ client: 'Zed', model: 'm-2' }, 0],
      // Limits within an hour, and on it, are to the millisecond.
      [{ startedAfter: at(0) }, 4],
      [{ startedAfter: at(1) }, 3],
      [{ startedAfter: at(10 * minute), startedBefore: at(30 * minute) }, 2],
      [{ startedAfter: at(10 * minute + 1), startedBefore: at(30 * minute - 1) }, 0],
      [{ startedBefore: at(30 * minute) }, 3],
      [{ startedBefore: at(30 * minute - 1) }, 2],
      [{ startedAfter: at(30 * minute), startedBefore: at(24 * hour) }, 2],
      [{ startedAfter: at(30 * minute + 1), startedBefore: at(24 * hour - 1) }, 0],
      [{ startedAfter: '2026-01-15T12:00:00+01:00' }, 2],
      [{ startedAfter: at(5 * minute), startedBefore: at(48 * hour), model: 'm-1' }, 2],
    ] as const)
      for (const interval of [undefined, 'hour', 'day'] as const) {
        const query = { groupBy: 'none', ...filter, ...(interval && { interval }) } as const
        const rows = await store.stats(query)
        assert.equal(
          rows.reduce((total, { interceptions }) => total + interceptions, 0),
          expected,
          JSON.stringify(query),
        )
        if (expected === 0) assert.deepEqual(rows, [])
      }
    await sums(store, { groupBy: 'tool', startedAfter: at(1), startedBefore: at(hour) }, [
      {
        key: 'Read',
        ...sum({
          interceptions: 1,
          toolCalls: 1,
          inputTokens: 10,
          outputTokens: 20,
          cacheReadInputTokens: 1000,
          unpriced: 1,
        }),
      },
    ])
  })

  check('what is replaced moves from key to key and hour to hour', async (store) => {
    const id = idAt(0)
    const records = told({ id, start: { ...anna, model: 'old' }, tools: ['Bash'], usages: [{}] })
    const [, call, used] = records
    if (!call || !used) throw new Error('a plan of four records')
    await store.record(records)
    await store.record(records)
    await store.record([
      start(id, { ...ben, model: 'new', startedAt: at(hour) }),
      { ...call, tool: 'Read' } as typeof call,
      { ...used, outputTokens: 77, costNanoUsd: null } as typeof used,
    ])
    const measures = sum({
      interceptions: 1,
      toolCalls: 1,
      inputTokens: 100,
      outputTokens: 77,
      cacheReadInputTokens: 1000,
      unpriced: 1,
    })
    const bucket = '2026-01-15T11:00:00.000Z'
    const interval = 'hour'
    await sums(store, { groupBy: 'model', interval }, [{ key: 'new', bucket, ...measures }])
    await sums(store, { groupBy: 'tool', interval }, [{ key: 'Read', bucket, ...measures }])
    const user = { key: 'ben', initiatorId: 'u-2' }
    await sums(store, { groupBy: 'user', interval }, [{ ...user, bucket, ...measures }])
  })
}

async function sums(store: Store, query: StatsQuery, expected: readonly StatsRow[]) {
  const rows = await store.stats(query)
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    expected,
    JSON.stringify(query),
  )
}

/** Where the clock shows other hours and days than in UTC. */
async function elsewhere(run: () => Promise<void>): Promise<void> {
  const { TZ } = process.env
  process.env.TZ = 'Asia/Kathmandu'
  try {
    await run()
  } finally {
    if (TZ === undefined) delete process.env.TZ
    else process.env.TZ = TZ
  }
}

function sum(measures: Partial<Measures>): Measures {
  return { ...noMeasures, ...measures }
}

function brief({ key, interceptions, toolCalls, inputTokens }: StatsRow) {
  return [key, interceptions, toolCalls, inputTokens]
}
