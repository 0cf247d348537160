import { Console } from 'node:console'
import { context, DiagLogLevel, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { logs } from '@opentelemetry/api-logs'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'
import type { Log } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import { objectOf, parseJson } from '../core/json.ts'
import { processId } from '../core/process-id.ts'
import { within } from '../core/within.ts'
import { genAiMetrics } from '../plugins/gen-ai-metrics.ts'
import { otelLog } from './otel-log.ts'
import { logExport, spanProcessors } from './otlp/processors.ts'
import { resourceDetectors } from './resource-detectors.ts'
import type { Telemetry, TelemetrySettings } from './telemetry.ts'

/** A collector that is away must not hold up a shutdown. */
const shutdownMs = 5000

/** Starts the SDK; its exporters, samplers and limits follow from the standard `OTEL_*` variables. */
export function startSdk(settings: TelemetrySettings, log: Log): Telemetry {
  const restoreConsole = consoleToStandardError()
  const own = resources.resourceFromAttributes({
    // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` go over these.
    'service.name': 'sluice',
    'service.instance.id': processId,
  })
  // Undefined: as the SDK makes them.
  const ofSpans = settings.trace ? spanProcessors() : []
  const lean = settings.otelLogs ? logExport() : undefined
  const ofLogs = settings.otelLogs ? lean?.processors : []
  const sdk = toStandardError(
    () =>
      new NodeSDK({
        resource: resources.defaultResource().merge(own),
        resourceDetectors: resourceDetectors(),
        instrumentations: [],
        ...(ofSpans && { spanProcessors: ofSpans }),
        ...(ofLogs && { logRecordProcessors: ofLogs }),
        ...(!settings.otelMetrics && { metricReaders: [] }),
      }),
  )
  // After the SDK, which sets one of its own where OTEL_LOG_LEVEL is set.
  diag.setLogger(troubles(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  sdk.start()
  const { semconv = '1.41', providers = [] } = settings
  const servers = Object.fromEntries(providers.map(({ name, baseUrl }) => [name, baseUrl]))
  return {
    plugins: [
      ...(settings.otelLogs ? [otelLog(settings, lean?.take)] : []),
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
      restoreConsole()
    },
  }
}

/** Where OTEL_LOG_LEVEL is set the SDK prints at once, past any console of ours; standard output is the gateway's one line. */
function toStandardError<T>(make: () => T): T {
  const { stdout, stderr } = process
  const write = stdout.write
  stdout.write = stderr.write.bind(stderr)
  try {
    return make()
  } finally {
    stdout.write = write
  }
}

/** The same for exporters to the console. Returns what undoes it. */
function consoleToStandardError(): () => void {
  const { log, info, debug, dir } = console
  const other = new Console(process.stderr, process.stderr)
  Object.assign(console, { log: other.log, info: other.info, debug: other.debug, dir: other.dir })
  return () => void Object.assign(console, { log, info, debug, dir })
}

/** The SDK tells of errors as JSON, with their stacks. */
function told(message: string): string {
  const { message: words } = message.startsWith('{') ? objectOf(parseJson(message)) : {}
  return typeof words === 'string' ? words : message
}

/** What the SDK and its exporters complain of: spans that were dropped, a collector that does not answer. */
function troubles(log: Log): Parameters<typeof diag.setLogger>[0] {
  const warn = (message: string, ...rest: unknown[]) => {
    const why = rest.map((each) => messageOf(each)).join(' ')
    log('warn', `telemetry: ${told(message)} ${why}`.trim().slice(0, 1000))
  }
  return { error: warn, warn, info: () => {}, debug: () => {}, verbose: () => {} }
}
