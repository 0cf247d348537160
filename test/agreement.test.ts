import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { after, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Registry } from 'prom-client'
import winston from 'winston'
import { metrics } from '../src/plugins/metrics.ts'
import { logLine, structuredLogger } from '../src/plugins/structured-logger.ts'
import { startGateway } from './support/gateway.ts'
import { hostTracing } from './support/host-tracing.ts'
import { seriesOf } from './support/metrics-page.ts'
import { routes } from './support/questions.ts'

type Line = Readonly<Record<string, unknown>>

const host = hostTracing()
after(() => host.stop())

for (const [name, { path, ask }] of Object.entries(routes)) {
  for (const stream of [true, false]) {
    test(`record, log line, metric and span say the same of ${name}, ${stream ? 'streamed' : 'blocking'}`, async (t) => {
      const registry = new Registry()
      const lines: Line[] = []
      const sink = new Writable({
        write: (chunk, _encoding, done) => {
          lines.push(JSON.parse(String(chunk)) as Line)
          done()
        },
      })
      const logger = winston.createLogger({
        format: logLine,
        transports: [new winston.transports.Stream({ stream: sink })],
      })
      const gateway = await startGateway({
        tracing: true,
        plugins: [metrics({ registry }), structuredLogger({ logger })],
      })
      t.after(() => gateway.close())
      const usage = name === 'chat' && stream && { stream_options: { include_usage: true } }
      const traceId = randomBytes(16).toString('hex')
      const reply = await fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-api-key': 'sk-ant-0123456789',
          authorization: 'Bearer sk-0123456789',
          traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
        },
        body: JSON.stringify({ ...ask, stream, ...usage }),
      })
      await reply.arrayBuffer()
      const { start, end, ...kept } = await gateway.ended(0)
      const { providerName: provider, model, client } = start
      const of = (type: string) => lines.filter(({ record_type }) => record_type === type)
      // Each recorder is handed its records on its own, the memory recorder before the log.
      while (of('interception_end').length === 0) await setImmediate()
      const page = seriesOf(await registry.metrics())
      const whose = `provider="${provider}",model="${model}",client="${client}"`

      equal(of('interception_start')[0]?.provider_name, provider)
      equal(of('interception_start')[0]?.model, model)
      const [ended] = of('interception_end')
      equal(ended?.outcome, end.outcome)
      equal(ended?.duration_ms, end.durationMs)
      equal(ended?.time_to_first_token_ms, end.timeToFirstTokenMs)
      const route = path.replace(/^\/\w+/, '')
      const labels = `${whose},status="completed",outcome="completed",route="${route}",method="POST"`
      equal(page.get(`sluice_interceptions_total{${labels}}`), 1)
      const timed = `{provider="${provider}",model="${model}"}`
      equal(page.get(`sluice_interceptions_duration_seconds_sum${timed}`), end.durationMs / 1000)
      equal(
        page.get(`sluice_time_to_first_token_seconds_sum${timed}`),
        Number(end.timeToFirstTokenMs) / 1000,
      )

      const [used] = kept.tokenUsages
      ok(used)
      const counted = (type: string) =>
        page.get(`sluice_tokens_total{${whose},type="${type}"}`) ?? 0
      deepEqual(
        of('token_usage').map((line) => [line.id, line.input_tokens, line.output_tokens]),
        kept.tokenUsages.map((each) => [each.id, each.inputTokens, each.outputTokens]),
      )
      equal(counted('input'), used.inputTokens)
      equal(counted('output'), used.outputTokens)
      equal(counted('cache_read_input_tokens'), used.cacheReadInputTokens)
      equal(counted('cache_write_input_tokens'), used.cacheWriteInputTokens)
      equal(of('token_usage')[0]?.cache_read_input_tokens, used.cacheReadInputTokens)

      const spans = await host.whole(traceId, (all) => all.some(({ name }) => name === 'Intercept'))
      const span = spans.find((each) => each.name === 'Intercept.ProcessRequest.Upstream')
      const told = span?.attributes ?? {}
      const input = used.inputTokens + used.cacheReadInputTokens + used.cacheWriteInputTokens
      equal(told['gen_ai.usage.input_tokens'], input)
      equal(told['gen_ai.usage.output_tokens'], used.outputTokens)
      equal(told['gen_ai.usage.cache_read.input_tokens'], used.cacheReadInputTokens)
      equal(told['gen_ai.usage.cache_creation.input_tokens'], used.cacheWriteInputTokens)
      equal(told['gen_ai.response.id'], used.msgId)
      equal(told['gen_ai.request.model'], model)
      equal(told['gen_ai.provider.name'], start.provider)
      equal(told.interception_id, of('interception_end')[0]?.interception_id)
      deepEqual(told['gen_ai.response.finish_reasons'], [end.finishReason])

      deepEqual(
        of('tool_usage').map(({ id, tool }) => [id, tool]),
        kept.toolUsages.map(({ id, tool }) => [id, tool]),
      )
      equal(kept.toolUsages.length, 1)
      const tool = `provider="${provider}",model="${model}",name="${kept.toolUsages[0]?.tool}"`
      equal(page.get(`sluice_non_injected_tool_selections_total{${tool}}`), 1)
      equal(of('prompt_usage').length, kept.userPrompts.length)
      equal(page.get(`sluice_prompts_total{${whose}}`), kept.userPrompts.length)
    })
  }
}
