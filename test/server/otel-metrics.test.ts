import { deepEqual, equal } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { startGateway } from '../support/gateway-process.ts'

interface Point {
  readonly attributes: readonly {
    readonly key: string
    readonly value: { readonly stringValue?: string; readonly intValue?: number | string }
  }[]
  readonly sum?: number
  readonly asInt?: number | string
  readonly asDouble?: number
  readonly count?: number | string
  readonly explicitBounds?: readonly number[]
}

interface Usage {
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cache_read_input_tokens: number
  readonly cache_write_input_tokens: number
}

interface Metric {
  readonly name: string
  readonly unit: string
  readonly histogram?: { readonly dataPoints: readonly Point[] }
  readonly sum?: { readonly dataPoints: readonly Point[] }
}

/** What an exporter sends as JSON, the newest of each metric. */
async function receiver() {
  const metrics = new Map<string, Metric>()
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    const bytes = Buffer.concat(chunks)
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
    const { resourceMetrics } = JSON.parse(text.toString()) as {
      resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[]
    }
    for (const { scopeMetrics } of resourceMetrics)
      for (const scope of scopeMetrics)
        for (const metric of scope.metrics) metrics.set(metric.name, metric)
    response.setHeader('content-type', 'application/json').end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { metrics, port, close: () => server.close() }
}

const before = [
  'gen_ai.client.operation.duration',
  'gen_ai.client.operation.time_to_first_chunk',
  'gen_ai.client.token.usage',
]
const since = [
  'gen_ai.client.inference.duration',
  'gen_ai.client.inference.operation.input_tokens',
  'gen_ai.client.inference.operation.output_tokens',
  'gen_ai.client.inference.time_to_first_chunk',
  'gen_ai.client.inference.usage.cache_read.input_tokens',
  'gen_ai.client.inference.usage.cache_write.input_tokens',
  'gen_ai.client.inference.usage.input_tokens',
  'gen_ai.client.inference.usage.output_tokens',
  'gen_ai.client.inference.usage.reasoning.output_tokens',
]

for (const [semconv, names] of Object.entries({
  '1.41': before,
  'genai-dev': since,
  both: [...since, ...before],
})) {
  test(`GenAI metrics named by ${semconv} reach a collector when the gateway stops`, async (t) => {
    const upstream = await fakeUpstream()
    const collector = await receiver()
    t.after(() => collector.close())
    t.after(() => upstream.close())
    const gateway = await startGateway(
      ['--otel-metrics', '--semconv', semconv, '--anthropic-base-url', upstream.url],
      {
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        },
      },
    )
    const usages: Usage[] = []
    for (const stream of [true, false]) {
      const reply = await fetch(`${gateway.url}/anthropic/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': 'sk-ant-0123456789' },
        body: JSON.stringify({
          model: 'claude-sonnet-4-5',
          max_tokens: 100,
          stream,
          messages: [{ role: 'user', content: `Say something ${stream}` }],
        }),
      })
      await reply.arrayBuffer()
      const id = reply.headers.get('x-sluice-interception-id')
      const recorded = await fetch(`${gateway.url}/api/v2/aibridge/interceptions/${id}`)
      const { token_usages: each } = (await recorded.json()) as {
        token_usages: typeof usages
      }
      usages.push(...each)
    }
    equal(await gateway.stop(), 0)
    deepEqual([...collector.metrics.keys()].sort(), names)
    const sum = (pick: (usage: (typeof usages)[0]) => number) =>
      usages.reduce((total, usage) => total + pick(usage), 0)
    equal(usages.length, 2)

    const points = (name: string) => {
      const { histogram, sum } = collector.metrics.get(name) ?? {}
      return (histogram ?? sum)?.dataPoints ?? []
    }
    for (const name of names.filter((each) => /duration$/.test(each))) {
      const [duration] = points(name)
      equal(Number(duration?.count), 2)
      equal(duration?.explicitBounds?.[0], 0.01)
      equal(duration?.explicitBounds?.at(-1), 81.92)
      const attributes = new Map(duration?.attributes.map(({ key, value }) => [key, value]))
      equal(attributes.get('gen_ai.operation.name')?.stringValue, 'chat')
      equal(attributes.get('gen_ai.provider.name')?.stringValue, 'anthropic')
      equal(attributes.get('gen_ai.request.model')?.stringValue, 'claude-sonnet-4-5')
      equal(Number(attributes.get('server.port')?.intValue), Number(new URL(upstream.url).port))
    }
    // Of the one that streamed.
    for (const name of names.filter((each) => /first_chunk$/.test(each)))
      equal(Number(points(name)[0]?.count), 1)

    const tokens =
      (kind: string) =>
      ({ attributes: all }: Point) =>
        all.some(({ value }) => value.stringValue === kind)
    const wanted = {
      input: sum(
        (usage) =>
          usage.input_tokens + usage.cache_read_input_tokens + usage.cache_write_input_tokens,
      ),
      output: sum(({ output_tokens: tokens }) => tokens),
    }
    for (const [kind, total] of Object.entries(wanted)) {
      const measured = [
        ...points('gen_ai.client.token.usage').filter(tokens(kind)),
        ...points(`gen_ai.client.inference.operation.${kind}_tokens`),
      ]
      equal(measured.length, semconv === 'both' ? 2 : 1)
      for (const { sum: told, explicitBounds } of measured) {
        equal(told, total)
        // Four times as much each, to 67,108,864 tokens.
        equal(explicitBounds?.at(-1), 4 ** 13)
      }
      const counted = points(`gen_ai.client.inference.usage.${kind}_tokens`)
      equal(counted.length, semconv === '1.41' ? 0 : 1)
      for (const { asDouble, asInt } of counted) equal(Number(asDouble ?? asInt), total)
    }
  })
}
