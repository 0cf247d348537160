import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { interceptionId } from '../../src/core/ids.ts'
import type { InterceptionRecord, InterceptionStart } from '../../src/core/records.ts'
import { type MetricsOptions, metrics } from '../../src/plugins/metrics.ts'
import { startGateway } from '../support/gateway.ts'
import { end, prompt, start, tool, usage } from '../support/stored-records.ts'

function counting(options: MetricsOptions = {}) {
  const registry = new Registry()
  const plugin = metrics({ registry, ...options })
  return {
    plugin,
    record: (...records: InterceptionRecord[]) => {
      void plugin.record?.(records)
    },
    /** The series of one metric: its labels in order of their names, and its value. */
    series: async (name: string) => {
      const lines = (await registry.metrics()).split('\n')
      return Object.fromEntries(
        lines
          .filter((line) => line.startsWith(`sluice_${name}{`))
          .map((line) => {
            const [, labels = '', value] = /\{(.*)\} (\S+)$/.exec(line) ?? []
            return [labels.replaceAll('"', '').split(',').sort().join(' '), Number(value)]
          }),
      ) as Record<string, number>
    },
  }
}

function whole(body: Partial<InterceptionStart> = {}): InterceptionRecord[] {
  const id = interceptionId()
  return [
    start(id, body),
    prompt(id, 'hello'),
    tool(id, 2, 'Bash'),
    usage(id, { seq: 3, outputTokens: 50 }),
    end(id),
  ]
}

test('what an interception used is counted under its provider, model and client', async () => {
  const { record, series } = counting()
  record(...whole())
  record(...whole())
  const common = 'client=Claude Code'
  deepEqual(await series('prompts_total'), {
    [`${common} model=claude-sonnet-4-5 provider=anthropic`]: 2,
  })
  deepEqual(await series('interceptions_total'), {
    [`${common} method=POST model=claude-sonnet-4-5 outcome=completed provider=anthropic route=/v1/messages status=completed`]: 2,
  })
})

test('a model that never answered is folded: clients cannot make series without end', async () => {
  const { record, series } = counting()
  for (let n = 0; n < 50; n++) {
    const id = interceptionId()
    record(start(id, { model: `made-up-${n}` }), end(id, { outcome: 'failed' }))
  }
  const all = await series('interceptions_total')
  equal(Object.keys(all).length, 1)
  match(Object.keys(all)[0] ?? '', /model=other .*status=failed/)
})

test('no more models and tools than maxNames have series of their own', async () => {
  const { record, series } = counting({ maxNames: 3 })
  for (let n = 0; n < 10; n++) {
    const id = interceptionId()
    record(start(id, { model: `model-${n}` }), tool(id, 1, `tool-${n}`), end(id))
  }
  const models = Object.keys(await series('interceptions_total'))
  equal(models.length, 4)
  equal(models.filter((labels) => labels.includes('model=other')).length, 1)
  const tools = Object.keys(await series('non_injected_tool_selections_total'))
  equal(new Set(tools.map((labels) => /name=(\S+)/.exec(labels)?.[1])).size, 4)
})

test('what runs is in flight, under the same labels when it ends', async () => {
  const { record, series } = counting()
  record(...whole())
  const open = interceptionId()
  record(start(open))
  const running = 'model=claude-sonnet-4-5 provider=anthropic route=/v1/messages'
  equal((await series('interceptions_inflight'))[running], 1)
  record(end(open))
  for (const value of Object.values(await series('interceptions_inflight'))) equal(value, 0)
})

test('usage that comes after the end counts, too', async () => {
  const { record, series } = counting()
  record(...whole())
  const id = interceptionId()
  record(start(id), end(id), usage(id, { seq: 9, outputTokens: 7 }))
  const tokens = await series('tokens_total')
  const output = Object.entries(tokens).filter(([labels]) => labels.includes('type=output'))
  equal(
    output.reduce((sum, [, value]) => sum + value, 0),
    57,
  )
})

test('initiators are a label only where that is asked for', async () => {
  const without = counting()
  without.record(...whole({ initiatorId: 'alice' }))
  const withThem = counting({ initiator: true })
  withThem.record(...whole({ initiatorId: 'alice' }))
  equal(
    Object.keys(await without.series('tokens_total')).some((l) => l.includes('alice')),
    false,
  )
  equal(
    Object.keys(await withThem.series('tokens_total')).every((l) =>
      l.includes('initiator_id=alice'),
    ),
    true,
  )
})

test('titles and tool rounds are no prompts', async () => {
  const { record, series } = counting()
  record(...whole({ purpose: 'title' }), ...whole({ threadRootId: interceptionId() }))
  deepEqual(Object.values(await series('prompts_total')), [0])
})

test('figures agree with the records of what went through a gateway', async () => {
  const { plugin, series } = counting()
  const gateway = await startGateway({ plugins: [plugin] })
  try {
    for (const stream of [true, false]) {
      const reply = await fetch(`${gateway.url}/anthropic/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': 'sk-ant-0123456789abcdef' },
        body: JSON.stringify({
          model: 'claude-sonnet-4-5',
          max_tokens: 100,
          stream,
          messages: [{ role: 'user', content: 'Say something.' }],
        }),
      })
      await reply.text()
    }
    const recorded = [await gateway.ended(0), await gateway.ended(1)]
    const sum = (pick: (usage: (typeof recorded)[0]['tokenUsages'][0]) => number) =>
      recorded.flatMap(({ tokenUsages }) => tokenUsages).reduce((total, u) => total + pick(u), 0)
    const tokens = Object.entries(await series('tokens_total'))
    const of = (type: string) =>
      tokens.filter(([l]) => l.endsWith(`type=${type}`)).reduce((total, [, n]) => total + n, 0)
    equal(
      of('input'),
      sum((u) => u.inputTokens),
    )
    equal(
      of('output'),
      sum((u) => u.outputTokens),
    )
    const counted = Object.values(await series('interceptions_duration_seconds_count'))
    equal(
      counted.reduce((a, b) => a + b, 0),
      2,
    )
  } finally {
    await gateway.close()
  }
})
