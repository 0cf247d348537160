import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { startGateway } from '../support/gateway-process.ts'
import { type CollectedSpan, noCollector, startCollector } from '../support/otlp/collector.ts'
import { routes } from '../support/questions.ts'

const clientSpan = '00f067aa0ba902b7'

for (const protocol of ['http/protobuf', 'http/json', 'grpc'] as const) {
  test(`OpenTelemetry’s collector gets spans, records and metrics over ${protocol}`, {
    skip: noCollector,
  }, async (t) => {
    const collector = await startCollector()
    const gateway = await startGateway(['--demo', '--trace', '--otel-logs', '--otel-metrics'], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? collector.grpc : collector.http,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_SERVICE_NAME: 'sluice-under-test',
      },
    })
    t.after(() => gateway.child.kill('SIGKILL'))
    const ids = await Promise.all(
      Object.values(routes).map(async ({ path, ask }) => {
        const traceId = randomBytes(16).toString('hex')
        const reply = await fetch(`${gateway.url}${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-api-key': 'secret-key-of-the-client',
            authorization: 'Bearer secret-key-of-the-client',
            traceparent: `00-${traceId}-${clientSpan}-01`,
          },
          body: JSON.stringify({ ...ask, stream: true, user: 'half a pair: \ud83d' }),
        })
        await reply.arrayBuffer()
        equal(reply.status, 200)
        return { traceId, id: String(reply.headers.get('x-sluice-interception-id')), path }
      }),
    )
    equal(await gateway.stop(), 0)
    const { spans, logs, metrics } = await collector.stop()

    for (const { traceId, id, path } of ids) {
      const mine = spans.filter((span) => span.traceId === traceId)
      const named = (name: string) => mine.filter((span) => span.name === name)
      const [intercept] = named('Intercept')
      const [process] = named('Intercept.ProcessRequest')
      const [upstream] = named('Intercept.ProcessRequest.Upstream')
      ok(intercept && process && upstream, path)
      deepEqual(parentsOf(mine), {
        'CachedBridgePool.Acquire': clientSpan,
        Intercept: clientSpan,
        'Intercept.CreateInterceptor': intercept.id,
        'Intercept.RecordInterception': intercept.id,
        'Intercept.ProcessRequest': intercept.id,
        'Intercept.ProcessRequest.Upstream': process.id,
        'Intercept.RecordPromptUsage': process.id,
        'Intercept.RecordTokenUsage': process.id,
        'Intercept.RecordToolUsage': process.id,
        ...(path.includes('messages') && { 'Intercept.RecordModelThought': process.id }),
        'Intercept.RecordInterceptionEnded': intercept.id,
      })
      ok(mine.every(({ statusCode }) => statusCode === 0))
      ok(mine.every(({ resource }) => resource['service.name'] === 'sluice-under-test'))
      equal(intercept.attributes.interception_id, id)
      equal(upstream.kind, 3)
      equal(upstream.attributes['gen_ai.response.model'], 'test-model')
      ok(Number(upstream.attributes['gen_ai.usage.input_tokens']) > 0)

      const about = logs.filter(({ attributes }) => attributes.interception_id === id)
      ok(about.every(({ body }) => body === 'interception log'))
      const types = about.map(({ attributes }) => String(attributes.record_type))
      const kinds = ['interception_start', 'prompt_usage', 'token_usage', 'tool_usage']
      for (const type of [...kinds, 'interception_end']) ok(types.includes(type), type)
      // Each in the trace of its own interception, whatever else was recorded in that moment.
      deepEqual(new Set(about.map((log) => log.traceId)), new Set([traceId]))
      deepEqual(new Set(about.map((log) => log.spanId)), new Set([intercept.id]))
    }

    const tokens = metrics.filter(({ name }) => name === 'gen_ai.client.token.usage')
    const [newest] = tokens.slice(-1)
    ok(newest)
    equal(newest.unit, '{token}')
    equal(newest.resource['service.name'], 'sluice-under-test')
    const ours = newest.points.filter(
      ({ attributes }) => attributes['gen_ai.request.model'] === 'test-model',
    )
    // Input and output of each of two providers.
    equal(ours.length, 4)
    const sum = (provider: string) =>
      ours
        .filter(({ attributes }) => attributes['gen_ai.provider.name'] === provider)
        .map(({ count }) => count)
    deepEqual(sum('anthropic'), [1, 1])
    deepEqual(sum('openai'), [2, 2])
    ok(!JSON.stringify({ spans, logs, metrics }).includes('secret-key-of-the-client'))
  })
}

function parentsOf(spans: readonly CollectedSpan[]): Readonly<Record<string, string>> {
  return Object.fromEntries(spans.map(({ name, parentId }) => [name, parentId]))
}
