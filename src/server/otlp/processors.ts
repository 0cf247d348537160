import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http'
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { core, type logs, type tracing } from '@opentelemetry/sdk-node'
import { type Batch, type BatchExporter, Batches } from './batches.ts'
import { encodeBatch } from './encode-batch.ts'
import { writeLogRecord } from './encode-logs.ts'
import { writeSpan } from './encode-spans.ts'

/**
 * Batches of spans that OpenTelemetry's transport sends over HTTP; only how they wait and become bytes is our own.
 * Undefined where the variables ask for another way, which is left to the SDK.
 */
export function spanProcessors(): tracing.SpanProcessor[] | undefined {
  if (!isHttpProtobuf('TRACES')) return undefined
  const exporter = overHttp('TRACES', 'v1/traces', ProtobufTraceSerializer)
  const options = { name: 'spans', write: writeSpan, exporter }
  const batches = new Batches({ scheduledDelayMillis: 5000, ...options, ...limits('OTEL_BSP') })
  return [
    {
      onStart: () => {},
      onEnd: (span) => {
        if (span.spanContext().traceFlags & 1) batches.add(span)
      },
      forceFlush: () => batches.flush(),
      shutdown: () => batches.end(),
    },
  ]
}

/** The same for log records. */
export function logProcessors(): logs.LogRecordProcessor[] | undefined {
  if (!isHttpProtobuf('LOGS')) return undefined
  const exporter = overHttp('LOGS', 'v1/logs', ProtobufLogsSerializer)
  const options = { name: 'log records', write: writeLogRecord, exporter }
  const batches = new Batches({ scheduledDelayMillis: 1000, ...options, ...limits('OTEL_BLRP') })
  return [
    {
      onEmit: (record) => batches.add(record),
      forceFlush: () => batches.flush(),
      shutdown: () => batches.end(),
    },
  ]
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
