// A Koa server with an OpenTelemetry SDK of its own: the gateway's spans are part of its traces.
import type { AddressInfo } from 'node:net'
import { SpanKind, trace } from '@opentelemetry/api'
import { NodeSDK, tracing } from '@opentelemetry/sdk-node'
import Koa from 'koa'
import { anthropic, createGateway, openai } from 'sluice'
import { capturers } from 'sluice/plugins/capturers'

// To a collector, if one is named; else each span is a line here.
const lines: tracing.SpanExporter = {
  export: (spans, done) => {
    for (const { name, parentSpanContext, attributes } of spans) {
      const within = parentSpanContext ? 'within another' : 'the root'
      console.log(`span ${name} (${within}) ${attributes['gen_ai.usage.output_tokens'] ?? ''}`)
    }
    done({ code: 0 })
  },
  shutdown: async () => {},
}
const sdk = new NodeSDK({
  serviceName: 'my-server',
  ...(!process.env.OTEL_EXPORTER_OTLP_ENDPOINT && {
    spanProcessors: [new tracing.SimpleSpanProcessor(lines)],
  }),
})
sdk.start()

const gateway = createGateway({
  providers: [
    anthropic({ baseUrl: process.env.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com' }),
    openai({ baseUrl: process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1' }),
  ],
  plugins: capturers(),
  initiator: () => 'me',
  tracing: true,
})

const tracer = trace.getTracer('my-server')
const app = new Koa()
  .use((ctx, next) =>
    // What an instrumentation of HTTP servers does.
    tracer.startActiveSpan(`${ctx.method} ${ctx.path}`, { kind: SpanKind.SERVER }, async (span) => {
      ctx.res.once('close', () => span.end())
      await next()
    }),
  )
  .use(gateway.middleware())

const server = app.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

process.once('SIGINT', async () => {
  server.close()
  await gateway.close()
  await sdk.shutdown()
})
