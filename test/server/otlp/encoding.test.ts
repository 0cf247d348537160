import { ok } from 'node:assert/strict'
import { test } from 'node:test'
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { type logs, resources, type tracing } from '@opentelemetry/sdk-node'
import { Batches } from '../../../src/server/otlp/batches.ts'
import { encodeBatch } from '../../../src/server/otlp/encode-batch.ts'
import { writeLogRecord } from '../../../src/server/otlp/encode-logs.ts'
import { writeSpan } from '../../../src/server/otlp/encode-spans.ts'
import type { Origin } from '../../../src/server/otlp/values.ts'
import type { Wire } from '../../../src/server/otlp/wire.ts'

const resource = resources.resourceFromAttributes({
  'service.name': 'sluice',
  'process.pid': 4711,
  'process.command_args': ['node', 'x'.repeat(300)],
})
const scope = { name: 'sluice', version: '1', schemaUrl: 'https://schema.example/1' }

/** At and around each length at which something about a message's bytes changes. */
const texts = [
  ...['', 'a', 'ä', '…'.repeat(13), '…'.repeat(14), '\ud800', '\u{1f600}'.repeat(20)],
  ...[40, 41, 120, 127, 128, 16_383, 16_384].map((length) => 'x'.repeat(length)),
  ...[42, 43, 5461, 5462].map((length) => '…'.repeat(length)),
]
const values = [
  ...texts,
  ...[0, -0, 1, -1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -(2 ** 40), 2 ** 63, 1.5, Number.NaN],
  ...[true, false, null, undefined, ['a', null, 'b'], [1, 2.5], new Uint8Array([1, 2, 3])],
  { inner: { list: [1, 'x'.repeat(200)] } },
]
const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

const spans = values.map((value, index) => {
  const traceState = index % 2 === 0 ? undefined : { serialize: () => 'vendor=1' }
  const attributes = { value, [`name ${index}`]: index, last: value }
  const link = { context: { traceId, spanId, traceFlags: 1 }, attributes }
  return {
    resource,
    instrumentationScope: scope,
    name: texts[index % texts.length],
    kind: index % 5,
    spanContext: () => ({ traceId, spanId, traceFlags: 1, traceState }),
    ...(index % 3 > 0 && { parentSpanContext: { traceId, spanId, isRemote: index % 2 === 0 } }),
    startTime: [1_767_225_600 + index, 999_999_999],
    endTime: [1_767_225_600 + index * 70_000_000, index],
    attributes,
    droppedAttributesCount: index,
    events: [{ name: 'event', time: [4_294_967_296, 5], attributes }],
    droppedEventsCount: 0,
    links: index % 4 === 0 ? [link] : [],
    droppedLinksCount: 200,
    status: { code: index % 3, message: texts[index % texts.length] },
  }
}) as unknown as tracing.ReadableSpan[]

const records = values.map((value, index) => ({
  resource,
  instrumentationScope: scope,
  hrTime: [1_767_225_600 + index, index],
  hrTimeObserved: [1_767_225_600, 5],
  severityNumber: index % 24,
  ...(index % 2 === 0 && { severityText: 'INFO' }),
  body: value,
  attributes: { value, inner: { value } },
  droppedAttributesCount: 0,
  ...(index % 3 > 0 && { spanContext: { traceId, spanId, traceFlags: index % 2 } }),
  ...(index % 5 === 0 && { eventName: 'event' }),
})) as unknown as logs.ReadableLogRecord[]

test('spans are the same bytes as OpenTelemetry’s own serializer makes', async () => {
  for (const span of [...spans.map((each) => [each]), spans]) {
    const expected = ProtobufTraceSerializer.serializeRequest(span)
    ok(same(await encoded(span, writeSpan), expected), String(span[0]?.attributes.value))
  }
})

test('log records are, too', async () => {
  for (const record of [...records.map((each) => [each]), records]) {
    const expected = ProtobufLogsSerializer.serializeRequest(record)
    ok(same(await encoded(record, writeLogRecord), expected), String(record[0]?.body))
  }
})

test('spans of several tracers go together, each under its own', async () => {
  const [one, two, three] = spans as [
    tracing.ReadableSpan,
    tracing.ReadableSpan,
    tracing.ReadableSpan,
  ]
  const other = { ...two, instrumentationScope: { name: 'a plugin' } }
  const bytes = await encoded([one, other, three], writeSpan)
  const apart = [[one, three], [other]].map((each) =>
    ProtobufTraceSerializer.serializeRequest(each),
  )
  // A repeated field: what was written apart is one message.
  ok(same(bytes, Buffer.concat(apart.map((each) => each ?? new Uint8Array()))))
})

async function encoded<T extends Origin>(
  items: readonly T[],
  write: (wire: Wire, item: T) => void,
): Promise<Uint8Array> {
  const sent: Uint8Array[] = []
  const batches = new Batches<T>({
    name: 'items',
    write,
    exporter: {
      export: (batch, done) => {
        sent.push(encodeBatch(batch))
        done({ code: 0 })
      },
      shutdown: async () => {},
    },
  })
  for (const item of items) batches.add(item)
  await batches.flush()
  return Buffer.concat(sent)
}

function same(bytes: Uint8Array, expected: Uint8Array | undefined): boolean {
  return expected !== undefined && Buffer.from(bytes).equals(expected)
}
