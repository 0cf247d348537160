import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api'
import { type AnyValueMap, logs, SeverityNumber } from '@opentelemetry/api-logs'
import { forgetOldest } from '../core/forget-oldest.ts'
import type { Plugin } from '../core/plugin.ts'
import { logFields } from '../plugins/structured-logger.ts'
import { logBody, severityText } from './otlp/lean-logs.ts'
import type { LogExport } from './otlp/processors.ts'
import type { Settings } from './settings.ts'

/** Each record as a log record of OpenTelemetry: the fields of its `interception log` line as attributes. */
export function otelLog(
  { logContent, trace: traced }: Pick<Settings, 'logContent' | 'trace'>,
  take: LogExport['take'] = () => false,
): Plugin {
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
        const span = traces.of(record.interceptionId)
        if (take({ record, content: logContent, span })) continue
        logger.emit({
          severityNumber: SeverityNumber.INFO,
          severityText,
          body: logBody,
          timestamp: new Date(record.createdAt),
          attributes: logFields(record, logContent) as AnyValueMap,
          context: span ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT,
        })
      }
    },
  }
}

/** The traces of interceptions that run, and of those that ended last: records may come late. */
class Traces {
  readonly #spans = new Map<string, SpanContext>()

  /** The span that is active. Not the span itself, which holds all that was set on it. */
  remember(id: string): void {
    const span = trace.getSpanContext(context.active())
    if (!span || !isSpanContextValid(span)) return
    this.#spans.set(id, span)
    forgetOldest(this.#spans, maxTraces)
  }

  of(id: string): SpanContext | undefined {
    return this.#spans.get(id)
  }
}

const maxTraces = 10_000
