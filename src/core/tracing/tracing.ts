import { type Tracer, trace } from '@opentelemetry/api'
import type { Log } from '../diagnostics.ts'
import { eventsFromLog } from './log-events.ts'
import type { SafeSpan } from './safe-span.ts'

/** Spans for the tracer provider that is registered with `@opentelemetry/api`: the host's own. */
export interface TracingOptions {
  /** Names of the GenAI attributes: those of the semantic conventions 1.41, those that follow them, or both. @default '1.41' */
  readonly semconv?: Semconv
  /** Messages and tools' arguments as attributes, cut to 16 KiB each; not where `recordContent` is off. @default false */
  readonly content?: boolean
  /** The gateway's own log lines as events of the span that they are about. @default false */
  readonly logs?: boolean
}

export type Semconv = '1.41' | 'genai-dev' | 'both'

/** What all traced requests of a gateway share. */
export interface Tracing {
  readonly tracer: Tracer
  readonly semconv: Semconv
  readonly content: boolean
  /** The span of each interception that runs; null where log lines are no events. */
  readonly live: Map<string, SafeSpan> | null
}

/** Null where nothing is traced: then a request costs one look at that. */
export function createTracing(
  options: boolean | TracingOptions,
  recordContent: boolean,
): Tracing | null {
  if (options === false) return null
  const { semconv = '1.41', content = false, logs = false } = options === true ? {} : options
  return {
    tracer: trace.getTracer('sluice'),
    semconv,
    content: content && recordContent,
    live: logs ? new Map() : null,
  }
}

/** A log whose lines are told to the spans, too. */
export function traceLog(log: Log, tracing: Tracing | null): Log {
  return tracing?.live ? eventsFromLog(log, tracing.live) : log
}
