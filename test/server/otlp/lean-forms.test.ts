import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { logs as api } from '@opentelemetry/api-logs'
import { logs, resources, tracing } from '@opentelemetry/sdk-node'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import { otelLog } from '../../../src/server/otel-log.ts'
import { type Batch, Batches } from '../../../src/server/otlp/batches.ts'
import { encodeBatch } from '../../../src/server/otlp/encode-batch.ts'
import { writeLeaf } from '../../../src/server/otlp/encode-leaf.ts'
import { writeLogRecord } from '../../../src/server/otlp/encode-logs.ts'
import { writeSpan } from '../../../src/server/otlp/encode-spans.ts'
import { Leaf } from '../../../src/server/otlp/leaf.ts'
import { type LeanRecord, writeLeanRecord } from '../../../src/server/otlp/lean-logs.ts'
import { logsOf, spansOf } from '../../support/otlp/messages.ts'

const resource = resources.resourceFromAttributes({ 'service.name': 'sluice' })
const attributes = { request_path: '/anthropic/v1/messages', streaming: true, model: 'm' }

test('a leaf is the span that the SDK would make', async () => {
  const sent = sink()
  const spans = new Batches<tracing.ReadableSpan | Leaf>({
    name: 'spans',
    write: (wire, span) => (span instanceof Leaf ? writeLeaf(wire, span) : writeSpan(wire, span)),
    exporter: sent,
  })
  const provider = new tracing.BasicTracerProvider({
    resource,
    spanProcessors: [
      {
        onStart: () => {},
        onEnd: (span) => spans.add(span),
        forceFlush: () => spans.flush(),
        shutdown: () => spans.end(),
      },
    ],
  })
  const tracer = provider.getTracer('test')
  const parent = tracer.startSpan('parent')
  const within = trace.setSpan(ROOT_CONTEXT, parent)
  const theirs = tracer.startSpan('child', { attributes }, within)
  const ours = new Leaf(spans, 'child', parent as unknown as tracing.ReadableSpan, {})
  for (const span of [theirs, ours]) {
    if (span instanceof Leaf) span.set(attributes)
    if (span instanceof Leaf) span.fail('it failed')
    else span.setStatus({ code: 2, message: 'it failed' })
    span.end()
    if (span instanceof Leaf) span.end()
  }
  await spans.flush()
  const [one, other, ...more] = spansOf(Buffer.concat(sent.bodies))
  equal(more.length, 0)
  const { id, start, end, ...same } = other ?? {}
  const { id: theirId, start: theirStart, end: theirEnd, ...expected } = one ?? {}
  deepEqual(same, expected)
  match(String(id), /^[0-9a-f]{16}$/)
  notEqual(id, theirId)
  equal((start ?? 0n) - (theirStart ?? 0n) < 1_000_000_000n, true)
  equal((end ?? 0n) >= (start ?? 1n), true)
})

test('a record past the SDK is the log record that the SDK would make, whatever is told of content', async () => {
  for (const logContent of ['full', 'redacted', 'omit'] as const) {
    const sent = sink()
    const batches = new Batches<LeanRecord | logs.ReadableLogRecord>({
      name: 'log records',
      write: (wire, item) =>
        'record' in item ? writeLeanRecord(wire, item) : writeLogRecord(wire, item),
      exporter: sent,
    })
    let origin: logs.ReadableLogRecord | undefined
    const processor: logs.LogRecordProcessor = {
      onEmit: (record) => {
        origin = record
        batches.add(record)
      },
      forceFlush: () => batches.flush(),
      shutdown: () => batches.end(),
    }
    api.setGlobalLoggerProvider(new logs.LoggerProvider({ resource, processors: [processor] }))
    const plugin = otelLog({ logContent, trace: false }, (record) => {
      if (!origin) return false
      const { resource, instrumentationScope } = origin
      batches.add({ resource, instrumentationScope, ...record })
      return true
    })
    for (const record of records) {
      origin = undefined
      await plugin.record?.([record])
      await plugin.record?.([record])
    }
    api.disable()
    await batches.flush()
    const told = logsOf(Buffer.concat(sent.bodies))
    equal(told.length, records.length * 2)
    for (let at = 0; at < told.length; at += 2) deepEqual(told[at + 1], told[at])
  }
})

const place = {
  id: '019bc0e2-0000-7000-8000-000000000001',
  interceptionId: '019bc0e2-0000-7000-8000-000000000000',
  seq: 1,
  createdAt: '2026-01-15T10:30:00.123Z',
}
const records = [
  { type: 'prompt_usage', ...place, prompt: 'Wie spät ist es? ⏰'.repeat(100), msgId: 'msg_1' },
  { type: 'token_usage', ...place, inputTokens: 12, cost: 0.125, metadata: { a: [1, null] } },
  { type: 'tool_usage', ...place, input: '{}', invocationError: null, injected: false },
  { type: 'made_up', ...place, level: 'a', message: 'b', late: true },
] as unknown as readonly InterceptionRecord[]

function sink() {
  const bodies: Uint8Array[] = []
  return {
    bodies,
    export: (batch: Batch, done: (result: { code: number }) => void) => {
      bodies.push(encodeBatch(batch))
      done({ code: 0 })
    },
    shutdown: async () => {},
  }
}
