import { type Context, context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { type AnyValueMap, logs, SeverityNumber } from '@opentelemetry/api-logs'
import { forgetOldest } from '../core/forget-oldest.ts'
import type { Plugin } from '../core/plugin.ts'
import { logFields } from '../plugins/structured-logger.ts'
import type { Settings } from './settings.ts'

/** Each record as a log record of OpenTelemetry: the fields of its `interception log` line as attributes. */
export function otelLog({
  logContent,
  trace: traced,
}: Pick<Settings, 'logContent' | 'trace'>): Plugin {
  const logger = logs.getLogger('sluice')
  const traces = new Traces()
  return {
    name: 'otel-logs',
    // Records are kept later and amid others': which trace an interception is part of is known when it begins.
    ...(traced && {
      observes: ['request'],
      observe: (_, { id }) => {
        traces.remember(id)
        return []
      },
    }),
    record: (records) => {
      for (const record of records) {
        logger.emit({
          severityNumber: SeverityNumber.INFO,
          severityText: 'INFO',
          body: 'interception log',
          timestamp: new Date(record.createdAt),
          attributes: logFields(record, logContent) as AnyValueMap,
          context: traces.of(record.interceptionId),
        })
      }
    },
  }
}

/** The traces of interceptions that run, and of those that ended last: records may come late. */
class Traces {
  readonly #contexts = new Map<string, Context>()

  /** The span that is active. */
  remember(id: string): void {
    const span = trace.getSpanContext(context.active())
    if (!span) return
    // Not the span itself, which holds all that was set on it.
    this.#contexts.set(id, trace.setSpanContext(ROOT_CONTEXT, span))
    forgetOldest(this.#contexts, maxTraces)
  }

  of(id: string): Context {
    return this.#contexts.get(id) ?? ROOT_CONTEXT
  }
}

const maxTraces = 10_000
