import { TraceFlags } from '@opentelemetry/api'
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http'
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { core, type logs, type tracing } from '@opentelemetry/sdk-node'
import { type Branch, type LeafMaker, leafMaker } from '../../core/tracing/leaf-span.ts'
import { type Batch, type BatchExporter, Batches } from './batches.ts'
import { encodeBatch } from './encode-batch.ts'
import { writeLeaf } from './encode-leaf.ts'
import { writeLogRecord } from './encode-logs.ts'
import { writeSpan } from './encode-spans.ts'
import { Leaf } from './leaf.ts'
import { type LeanRecord, writeLeanRecord } from './lean-logs.ts'
import type { Origin } from './values.ts'
import type { Wire } from './wire.ts'

/**
 * Batches of spans that OpenTelemetry's transport sends over HTTP; only how they wait and become bytes is our own.
 * Undefined where the variables ask for another way, which is left to the SDK.
 */
export function spanProcessors(): tracing.SpanProcessor[] | undefined {
  if (!isHttpProtobuf('TRACES')) return undefined
  const exporter = overHttp('TRACES', 'v1/traces', ProtobufTraceSerializer)
  const write = (wire: Wire, span: tracing.ReadableSpan | Leaf) =>
    span instanceof Leaf ? writeLeaf(wire, span) : writeSpan(wire, span)
  const options = { name: 'spans', write, exporter }
  const batches = new Batches({ scheduledDelayMillis: 5000, ...options, ...limits('OTEL_BSP') })
  const make: LeafMaker = (name, parent, attributes) =>
    new Leaf(batches, name, parent as unknown as tracing.ReadableSpan, attributes)
  const isLean = !isLimited('SPAN')
  return [
    {
      onStart: (span: Branch) => {
        if (isLean && isSampled(span)) span[leafMaker] = make
      },
      onEnd: (span) => {
        if (isSampled(span)) batches.add(span)
      },
      forceFlush: () => batches.flush(),
      shutdown: () => batches.end(),
    },
  ]
}

function isSampled(span: Pick<Branch, 'spanContext'>): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) > 0
}

/** Whether the variables limit attributes: the SDK's own spans and records see to that. */
function isLimited(kind: 'SPAN' | 'LOGRECORD'): boolean {
  return ['COUNT_LIMIT', 'VALUE_LENGTH_LIMIT'].some(
    (limit) =>
      core.getStringFromEnv(`OTEL_${kind}_ATTRIBUTE_${limit}`) !== undefined ||
      core.getStringFromEnv(`OTEL_ATTRIBUTE_${limit}`) !== undefined,
  )
}

export interface LogExport {
  readonly processors: logs.LogRecordProcessor[]
  /** Takes a record past the SDK; false where it is to have it. */
  readonly take: (record: Omit<LeanRecord, keyof Origin>) => boolean
}

/** The same for log records. */
export function logExport(): LogExport | undefined {
  if (!isHttpProtobuf('LOGS')) return undefined
  const exporter = overHttp('LOGS', 'v1/logs', ProtobufLogsSerializer)
  const write = (wire: Wire, record: logs.ReadableLogRecord | LeanRecord) =>
    'record' in record ? writeLeanRecord(wire, record) : writeLogRecord(wire, record)
  const options = { name: 'log records', write, exporter }
  const batches = new Batches({ scheduledDelayMillis: 1000, ...options, ...limits('OTEL_BLRP') })
  const isLean = !isLimited('LOGRECORD')
  // Which resource that is only the SDK knows, and says with the first record.
  let origin: Origin | undefined
  const processor: logs.LogRecordProcessor = {
    onEmit: (record) => {
      const { resource, instrumentationScope } = record
      if (isLean) origin = { resource, instrumentationScope }
      batches.add(record)
    },
    forceFlush: () => batches.flush(),
    shutdown: () => batches.end(),
  }
  return {
    processors: [processor],
    take: (record) => {
      if (!origin) return false
      batches.add({ ...origin, ...record })
      return true
    },
  }
}

type Signal = 'TRACES' | 'LOGS'

function isHttpProtobuf(signal: Signal): boolean {
  // The SDK's metrics of itself are made by its own processors.
  if (core.getBooleanFromEnv('OTEL_NODE_EXPERIMENTAL_SDK_METRICS')) return false
  const exporters = new Set(core.getStringListFromEnv(`OTEL_${signal}_EXPORTER`))
  const protocol =
    core.getStringFromEnv(`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) ??
    core.getStringFromEnv('OTEL_EXPORTER_OTLP_PROTOCOL') ??
    'http/protobuf'
  const isOtlp = exporters.size === 0 || (exporters.size === 1 && exporters.has('otlp'))
  return isOtlp && protocol.trim() === 'http/protobuf'
}

/** OpenTelemetry's own transport: its variables, headers, certificates, compression and retries. */
function overHttp<Response>(
  signal: Signal,
  path: string,
  { deserializeResponse }: { deserializeResponse: (data: Uint8Array) => Response },
): BatchExporter {
  const options = convertLegacyHttpOptions({}, signal, path, {
    'Content-Type': 'application/x-protobuf',
  })
  const serializer = { serializeRequest: encodeBatch, deserializeResponse }
  const counted = {
    name: signal === 'TRACES' ? 'span' : 'log',
    countItems: ({ count }: Batch) => count,
  } as const
  const type = signal === 'TRACES' ? 'otlp_http_span_exporter' : 'otlp_http_log_exporter'
  return createOtlpHttpExportDelegate(options, serializer, type, counted, undefined)
}

/** The SDK's variables; what is no number above 0 is as if it were not there. */
function limits(prefix: 'OTEL_BSP' | 'OTEL_BLRP') {
  return {
    ...positive('maxQueueSize', `${prefix}_MAX_QUEUE_SIZE`),
    ...positive('scheduledDelayMillis', `${prefix}_SCHEDULE_DELAY`),
    ...positive('exportTimeoutMillis', `${prefix}_EXPORT_TIMEOUT`),
    ...positive('maxExportBatchSize', `${prefix}_MAX_EXPORT_BATCH_SIZE`),
  }
}

function positive<Name extends string>(
  name: Name,
  variable: string,
): Partial<Record<Name, number>> {
  const value = core.getNumberFromEnv(variable)
  return value !== undefined && value > 0 ? ({ [name]: value } as Record<Name, number>) : {}
}
