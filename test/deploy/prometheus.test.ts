import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Panel } from '@grafana/schema'
import { metricsDashboard } from '../../deploy/grafana/metrics.ts'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts'
import {
  noPrometheus,
  type Prometheus,
  type Sample,
  startPrometheus,
} from '../support/prometheus.ts'
import { routes } from '../support/questions.ts'

interface Query {
  readonly expr: string
  readonly range?: boolean
}

interface Stats {
  readonly key: string
  readonly interceptions: number
  readonly prompts: number
  readonly tool_calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cache_read_input_tokens: number
  readonly cache_write_input_tokens: number
  readonly cost_nano_usd: number
}

const panels = (metricsDashboard.panels ?? []).filter(
  (panel): panel is Panel => panel.type !== 'row',
)
const queriesOf = ({ targets = [] }: Panel) => targets as unknown as Query[]

describe('a Prometheus that asks two workers under load', { skip: noPrometheus }, () => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  let prometheus: Prometheus
  let asked = 0
  // From a first load on, when all series are there: what is counted before it was seen once, no rate has.
  let first: { time: number; stats: Stats }
  let last: { time: number; stats: Stats }

  before(async () => {
    upstream = await fakeUpstream({ freshIds: true })
    const keys = ['--anthropic-key', 'sk-ant-0123456789', '--openai-key', 'sk-0123456789']
    const upstreams = ['--anthropic-base-url', upstream.url, '--openai-base-url', upstream.url]
    gateway = await startGateway(['--workers', '2', ...upstreams, ...keys])
    prometheus = await startPrometheus(gateway.url)
    await load(20)
    first = await settled()
    await load(100)
    last = await settled()
  })

  after(async () => {
    await prometheus?.stop()
    await gateway?.stop()
    await upstream?.close()
  })

  test('finds nothing amiss in how the metrics are named and written', async () => {
    const page = await (await fetch(`${gateway.url}/metrics`)).text()
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: page,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout + stderr)
    assert.match(page, /^sluice_journal_bytes 0$/m)
  })

  test('every query and variable of the dashboard is answered', async () => {
    for (const panel of panels)
      for (const query of queriesOf(panel)) {
        const expr = filled(query.expr)
        if (query.range) await prometheus.over(expr, first.time, last.time)
        else await prometheus.at(expr, last.time)
      }
    for (const name of ['provider', 'model', 'client'])
      assert.ok((await prometheus.labelValues(name, 'sluice_interceptions_total')).length > 0, name)
  })

  test('what traffic makes is not empty', async () => {
    const quiet =
      /^(Records dropped|Plugin errors|Refused|Replies without|Journal|User leader|Passed on|In flight)/
    for (const panel of panels) {
      if (quiet.test(panel.title ?? '')) continue
      const found = await Promise.all(
        queriesOf(panel).map(({ expr, range }) =>
          range
            ? prometheus.over(filled(expr), first.time, last.time)
            : prometheus.at(filled(expr), last.time).then(({ length }) => length),
        ),
      )
      assert.ok(Math.max(...found) > 0, panel.title)
    }
  })

  test('totals are those of the store', async () => {
    const total = async (title: string) => sum(await answer(title))
    const grown = (name: keyof Stats) => Number(last.stats[name]) - Number(first.stats[name])
    assert.equal(grown('interceptions'), 100)
    assert.equal(await total('Interceptions'), 100)
    assert.equal(await total('Prompts'), grown('prompts'))
    assert.equal(await total('Tokens'), tokensOf(last.stats) - tokensOf(first.stats))
    const cost = sum(await answer('Cost', 1e9))
    assert.ok(cost > 0)
    assert.ok(Math.abs(cost - grown('cost_nano_usd')) < 10, `${cost}`)
    assert.equal(await total('Tools'), grown('tool_calls'))
  })

  test('each model, client and provider has what the store says of it', async () => {
    for (const key of ['model', 'client', 'provider'] as const) {
      const label = key === 'provider' ? 'provider' : key
      const counted = await prometheus.at(
        `sum by (${label}) (sluice_interceptions_total)`,
        last.time,
      )
      const tokens = await prometheus.at(
        `sum by (${label}) (sluice_tokens_total{type=~"input|output|cache_read_input_tokens|cache_write_input_tokens"})`,
        last.time,
      )
      const rows = await stats(key)
      assert.ok(rows.length > 0)
      for (const row of rows) {
        const of = (samples: Sample[]) =>
          samples.find(({ metric }) => metric[label] === row.key)?.value
        assert.equal(of(counted), row.interceptions, row.key)
        assert.equal(of(tokens), tokensOf(row), row.key)
      }
    }
  })

  /** So many more requests, ten at a time: streams and whole replies of three formats and three models. */
  async function load(count: number): Promise<void> {
    const until = asked + count
    const one = async () => {
      while (asked < until) await ask(asked++)
    }
    await Promise.all(Array.from({ length: 10 }, one))
  }

  async function ask(n: number): Promise<void> {
    const names = ['messages', 'chat', 'responses'] as const
    const name = names[n % 3] ?? 'chat'
    const { path, ask } = routes[name]
    const model = { messages: 'claude-sonnet-4-5', chat: 'gpt-4o', responses: 'gpt-5' }[name]
    const text = `What is the weather in town ${n}?`
    const body = {
      ...ask,
      model,
      stream: n % 2 === 0,
      ...('input' in ask ? { input: text } : { messages: [{ role: 'user', content: text }] }),
      ...(name === 'chat' && n % 2 === 0 && { stream_options: { include_usage: true } }),
    }
    const reply = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      // A connection each: they go to the workers in turn.
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(body),
    })
    await reply.arrayBuffer()
    assert.equal(reply.status, 200)
  }

  async function stats(key: string): Promise<Stats[]> {
    const reply = await fetch(`${gateway.url}/api/v2/aibridge/stats?group_by=${key}`)
    assert.equal(reply.status, 200)
    return ((await reply.json()) as { results: Stats[] }).results
  }

  /** When Prometheus has seen all: the time of its newest sample, and what the store says. */
  async function settled(): Promise<{ time: number; stats: Stats }> {
    for (;;) {
      const counted = sum(await prometheus.at('sluice_interceptions_total'))
      const [whole] = await stats('none')
      const tokens = await prometheus.at('sluice_tokens_total{type="output"}')
      if (
        counted === asked &&
        whole?.interceptions === asked &&
        sum(tokens) === whole.output_tokens
      ) {
        const times = await prometheus.times('sluice_commit_wait_missed_total')
        return { time: times.at(-1) ?? 0, stats: whole }
      }
      await pause(100)
    }
  }

  /** From the sample before the load to the one after it, so that Prometheus extrapolates nothing. */
  function filled(expr: string): string {
    const range = `${Math.round((last.time - first.time) * 1000)}ms`
    return expr
      .replaceAll(/\$__(range|rate_interval|interval)\b/g, range)
      .replaceAll(/\$(provider|model|client)\b/g, '.*')
  }

  /** All that a panel's queries answer, whole numbers of `1/unit`. */
  async function answer(title: string, unit = 1): Promise<Sample[]> {
    const panel = panels.find((each) => each.title === title)
    assert.ok(panel, title)
    const answers = await Promise.all(
      queriesOf(panel).map(({ expr }) => prometheus.at(filled(expr), last.time)),
    )
    return answers.flat().map(({ metric, value }) => ({ metric, value: Math.round(value * unit) }))
  }
})

function sum(samples: readonly Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0)
}

function tokensOf(row: Stats): number {
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_write_input_tokens } = row
  return input_tokens + output_tokens + cache_read_input_tokens + cache_write_input_tokens
}

describe('promtool', { skip: noPrometheus }, () => {
  const folder = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url))
  const checks = {
    'takes the configuration': ['check', 'config', '--syntax-only', 'prometheus.yml'],
    'takes the rules': ['check', 'rules', 'alerts.yml'],
    'sees the rules fire and rest as they should': ['test', 'rules', 'alerts.test.yml'],
  }
  for (const [what, args] of Object.entries(checks)) {
    test(what, () => {
      const { status, stdout, stderr } = spawnSync('promtool', args, {
        cwd: folder,
        encoding: 'utf8',
      })
      assert.equal(status, 0, stdout + stderr)
    })
  }
})
