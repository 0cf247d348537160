import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  context,
  DiagLogLevel,
  diag,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
} from '@opentelemetry/api'
import { logs } from '@opentelemetry/api-logs'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { core } from '@opentelemetry/sdk-node'
import type Koa from 'koa'
import type { Gateway } from '../src/core/gateway.ts'
import type { JsonObject } from '../src/core/json.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { type HostTracing, hostTracing } from './support/host-tracing.ts'
import { mcpServer, textResult } from './support/mcp-server.ts'
import { routes } from './support/questions.ts'

const clientSpan = '00f067aa0ba902b7'
let host: HostTracing

// Before any SDK is there: this test comes first.
test('a gateway registers nothing with OpenTelemetry’s API: its host may, also later', async () => {
  const early = await startGateway({ tracing: { semconv: 'both', content: true, logs: true } })
  equal((await ask(early)).status, 200)
  const mine = { isMine: true }
  for (const [api, register] of [
    [
      trace,
      () => trace.setGlobalTracerProvider({ getTracer: () => trace.getTracer('x'), ...mine }),
    ],
    [
      propagation,
      () => propagation.setGlobalPropagator({ inject() {}, extract: (c) => c, fields: () => [] }),
    ],
    [metrics, () => metrics.setGlobalMeterProvider({ getMeter: () => metrics.getMeter('x') })],
  ] as const) {
    ok(register(), 'something was registered before')
    api.disable()
  }
  equal(
    context.setGlobalContextManager({
      active: () => context.active(),
      with: (_, run, self, ...args) => run.apply(self, args),
      bind: (_, target) => target,
      enable() {
        return this
      },
      disable() {
        return this
      },
    }),
    true,
  )
  context.disable()
  ok(!('isMine' in logs.getLoggerProvider()))
  // Its host's SDK starts only now.
  host = hostTracing()
  const { traceId, status } = await ask(early)
  equal(status, 200)
  ok((await host.whole(traceId)).some(({ name }) => name === 'Intercept'))
  await early.close()
})

test('in a host with an SDK of its own the spans hang on the span that it has open for the request', async () => {
  const seen: string[] = []
  const gateway = await startGateway({
    tracing: true,
    initiator: () => {
      seen.push(activeSpan())
      return 'me'
    },
    mount: traced((ctx) => seen.push(`after ${ctx.status} ${activeSpan()}`)),
  })
  const { traceId, status } = await ask(gateway)
  equal(status, 200)
  const spans = await host.whole(traceId, (all) => all.some(({ name }) => name === 'Intercept'))
  const named = (name: string) => spans.find((span) => span.name === name)
  const server = named('POST /anthropic/v1/messages')
  const intercept = named('Intercept')
  const upstream = named('Intercept.ProcessRequest.Upstream')
  ok(server && intercept && upstream)
  // The host goes on from the client, the gateway from the host.
  equal(server.parentSpanContext?.spanId, clientSpan)
  for (const name of ['Intercept', 'CachedBridgePool.Acquire'])
    equal(named(name)?.parentSpanContext?.spanId, server.spanContext().spanId)
  equal(intercept.kind, SpanKind.INTERNAL)
  equal(server.resource.attributes['service.name'], 'host')
  equal(intercept.instrumentationScope.name, 'sluice')
  const [sent] = gateway.upstream.requests
  equal(sent?.headers.traceparent, `00-${traceId}-${upstream.spanContext().spanId}-01`)
  // What is the host's own stays within its own span, before, amid and after.
  deepEqual(seen, [server.name, `after 200 ${server.name}`])
  deepEqual(host.open(), [])
  await gateway.close()
})

test('the host’s instrumentation of HTTP clients makes no second span of calls that have one, and names nothing', async () => {
  const instrumentation = new UndiciInstrumentation()
  instrumentation.setTracerProvider(trace.getTracerProvider())
  instrumentation.enable()
  const mcp = await mcpServer({
    call: ({ headers }) => textResult(`told ${headers.traceparent}`),
  })
  const gateway = await startGateway({
    tracing: true,
    mcp: { servers: { test: { url: mcp.url } } },
    mount: traced(
      () => {},
      async (ctx) => {
        ctx.body = await (await fetch(`${gateway.upstream.url}/v1/models`)).text()
      },
    ),
  })
  // It does instrument what the host itself sends.
  const own = await ask(gateway, '/own')
  deepEqual((await host.whole(own.traceId)).map(({ name }) => name).sort(), ['GET', 'POST /own'])
  equal(gateway.upstream.requests.length, 1)

  const { tools: _, ...question } = routes.messages.ask
  gateway.upstream.next({ answer: { calls: [{ name: 'bmcp_test_echo', input: {} }] } })
  const { traceId } = await ask(gateway, routes.messages.path, question)
  const spans = await host.whole(traceId, (all) => all.some(({ name }) => name === 'Intercept'))
  deepEqual(
    spans.filter(({ kind }) => kind === SpanKind.CLIENT).map(({ name }) => name),
    ['Intercept.ProcessRequest.Upstream', 'Intercept.ProcessRequest.Upstream'],
  )
  const [, first, second] = gateway.upstream.requests
  for (const sent of [first, second])
    equal(sent?.rawHeaders.filter((name) => /^traceparent$/i.test(name)).length, 1)
  const call = spans.find(({ name }) => name.endsWith('ToolCall'))
  ok(second?.body.includes(`told 00-${traceId}-${call?.spanContext().spanId}-01"`))
  instrumentation.disable()
  await gateway.close()
  await mcp.close()
})

test('what is not for the gateway passes it by, within the host’s span alone', async () => {
  const gateway = await startGateway({
    tracing: true,
    mount: traced(
      () => {},
      (ctx) => {
        ctx.body = activeSpan()
      },
    ),
  })
  const { traceId, text } = await ask(gateway, '/own/page')
  equal(text, 'POST /own/page')
  const spans = await host.whole(traceId)
  deepEqual(
    spans.map(({ name }) => name),
    ['POST /own/page'],
  )
  await gateway.close()
})

test('plugins’ own spans are part of the interception’s', async () => {
  const gateway = await startGateway({
    tracing: true,
    plugins: [
      {
        name: 'own-spans',
        observe: () => {
          trace.getTracer('mine').startSpan('looked at').end()
          return []
        },
      },
    ],
    mount: traced(() => {}),
  })
  const { traceId } = await ask(gateway)
  const spans = await host.whole(traceId, (all) => all.some(({ name }) => name === 'Intercept'))
  const intercept = spans.find(({ name }) => name === 'Intercept')
  const own = spans.find(({ name }) => name === 'looked at')
  equal(own?.parentSpanContext?.spanId, intercept?.spanContext().spanId)
  await gateway.close()
})

test('without tracing the host’s spans are all there are, and its headers go upstream as they came', async () => {
  const gateway = await startGateway({ mount: traced(() => {}) })
  const { traceId } = await ask(gateway)
  const spans = await host.whole(traceId)
  deepEqual(
    spans.map(({ name }) => name),
    ['POST /anthropic/v1/messages'],
  )
  equal(gateway.upstream.requests[0]?.headers.traceparent, `00-${traceId}-${clientSpan}-01`)
  await gateway.close()
})

test('lines of the log are events of the span of the interception that they name, and of no other', async () => {
  const complaints: string[] = []
  const complain = (message: string) => complaints.push(message)
  const none = () => {}
  const words = { error: complain, warn: complain, info: none, debug: none, verbose: none }
  diag.setLogger(words, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  const gateway = await startGateway({
    tracing: { logs: true },
    plugins: [
      {
        name: 'failing-observer',
        observe: () => {
          throw new Error('it looks badly')
        },
      },
      {
        name: 'failing-recorder',
        record: async () => {
          active.push(activeSpan())
          // Others' records come meanwhile.
          await new Promise((resolve) => setImmediate(resolve))
          throw new Error('it keeps badly')
        },
      },
    ],
  })
  const active: string[] = []
  const asked = await Promise.all(Array.from({ length: 20 }, () => ask(gateway)))
  for (const { traceId } of asked) {
    const spans = await host.whole(traceId, (all) => all.some(({ name }) => name === 'Intercept'))
    const [intercept] = spans.filter(({ name }) => name === 'Intercept')
    const events = intercept?.events ?? []
    ok(events.some(({ name }) => name === 'plugin failing-observer failed: it looks badly'))
    for (const { attributes } of events)
      equal(attributes?.interception_id, intercept?.attributes.interception_id)
  }
  await gateway.close()
  // A recorder's batch is of many: it is within no span, nor are the lines about it.
  deepEqual(new Set(active), new Set(['none']))
  deepEqual(complaints, [])
  diag.disable()
})

test('a host’s SDK whose parts throw costs spans and no request', async () => {
  await host.stop()
  for (const api of [trace, context, propagation]) api.disable()
  const fail = () => {
    throw new Error('a broken SDK')
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: fail, startActiveSpan: fail }) })
  propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] })
  const gateway = await startGateway({ tracing: { logs: true, content: true } })
  const { status, text } = await ask(gateway)
  equal(status, 200)
  ok(text.includes('"type":"message"'))
  equal((await gateway.ended(0)).end.outcome, 'completed')
  await gateway.close()
})

/** Puts the gateway behind what an instrumentation of HTTP servers does. */
function traced(
  after: (ctx: Koa.Context) => void,
  other: Koa.Middleware = () => {},
): (app: Koa, gateway: Gateway) => void {
  const tracer = trace.getTracer('host')
  return (app: Koa, gateway: Gateway) => {
    app.use((ctx, next) => {
      const parent = propagation.extract(context.active(), ctx.headers)
      const span = tracer.startSpan(`${ctx.method} ${ctx.path}`, { kind: SpanKind.SERVER }, parent)
      ctx.res.once('close', () => span.end())
      return context.with(trace.setSpan(parent, span), async () => {
        await next()
        after(ctx)
      })
    })
    app.use(gateway.middleware())
    app.use(other)
  }
}

function activeSpan(): string {
  const span = trace.getActiveSpan()
  return span && 'name' in span ? String(span.name) : 'none'
}

async function ask(
  { url }: TestGateway,
  path: string = routes.messages.path,
  question: JsonObject = routes.messages.ask,
) {
  const traceId = randomBytes(16).toString('hex')
  // The client is in this process, but not in the host.
  const reply = await context.with(core.suppressTracing(ROOT_CONTEXT), () =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': 'key',
        traceparent: `00-${traceId}-${clientSpan}-01`,
      },
      body: JSON.stringify(question),
    }),
  )
  return { traceId, status: reply.status, text: await reply.text() }
}
