import { context, DiagLogLevel, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { logs } from '@opentelemetry/api-logs'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'
import type { Log } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import { processId } from '../core/process-id.ts'
import { within } from '../core/within.ts'
import { genAiMetrics } from '../plugins/gen-ai-metrics.ts'
import { otelLog } from './otel-log.ts'
import { logProcessors, spanProcessors } from './otlp/processors.ts'
import type { Telemetry, TelemetrySettings } from './telemetry.ts'

/** A collector that is away must not hold up a shutdown. */
const shutdownMs = 5000

/** Starts the SDK; its exporters, samplers and limits follow from the standard `OTEL_*` variables. */
export function startSdk(settings: TelemetrySettings, log: Log): Telemetry {
  const own = resources.resourceFromAttributes({
    // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` go over these.
    'service.name': 'sluice',
    'service.instance.id': processId,
  })
  // Undefined: as the SDK makes them.
  const ofSpans = settings.trace ? spanProcessors() : []
  const ofLogs = settings.otelLogs ? logProcessors() : []
  const sdk = new NodeSDK({
    resource: resources.defaultResource().merge(own),
    instrumentations: [],
    ...(ofSpans && { spanProcessors: ofSpans }),
    ...(ofLogs && { logRecordProcessors: ofLogs }),
    ...(!settings.otelMetrics && { metricReaders: [] }),
  })
  // After the SDK, which would write to standard output where OTEL_LOG_LEVEL is set.
  diag.setLogger(troubles(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  sdk.start()
  const { semconv = '1.41', providers = [] } = settings
  const servers = Object.fromEntries(providers.map(({ name, baseUrl }) => [name, baseUrl]))
  return {
    plugins: [
      ...(settings.otelLogs ? [otelLog(settings)] : []),
      ...(settings.otelMetrics ? [genAiMetrics({ semconv, servers })] : []),
    ],
    stop: async () => {
      try {
        if (!(await within(sdk.shutdown(), shutdownMs)))
          log('warn', `telemetry: not all was exported within ${shutdownMs} ms`)
      } catch (error) {
        log('warn', `telemetry: not all was exported: ${messageOf(error)}`)
      }
      for (const api of [trace, metrics, context, propagation, logs, diag]) api.disable()
    },
  }
}

/** What the SDK and its exporters complain of: spans that were dropped, a collector that does not answer. */
function troubles(log: Log): Parameters<typeof diag.setLogger>[0] {
  const warn = (message: string, ...rest: unknown[]) => {
    const why = rest.map((each) => messageOf(each)).join(' ')
    log('warn', `telemetry: ${message} ${why}`.trim().slice(0, 1000))
  }
  return { error: warn, warn, info: () => {}, debug: () => {}, verbose: () => {} }
}
