import { NodeSDK, type tracing } from '@opentelemetry/sdk-node'

type HostSpan = tracing.ReadableSpan

/** A host's own SDK: what its processor has seen begin and end. */
export interface HostTracing {
  readonly ended: readonly HostSpan[]
  /** Names of spans that have begun and not ended. */
  readonly open: () => string[]
  /** Resolves with the spans of a trace as soon as they pass the test and none of them is open. */
  whole(traceId: string, test?: (spans: readonly HostSpan[]) => boolean): Promise<HostSpan[]>
  stop(): Promise<void>
}

/** Registers an SDK as a server with tracing of its own does: spans go to memory, none leaves the process. */
export function hostTracing(): HostTracing {
  const begun = new Map<string, HostSpan>()
  const ended: HostSpan[] = []
  const watchers = new Set<() => void>()
  const sdk = new NodeSDK({
    serviceName: 'host',
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    spanProcessors: [
      {
        onStart: (span) => void begun.set(span.spanContext().spanId, span),
        onEnd: (span) => {
          begun.delete(span.spanContext().spanId)
          ended.push(span)
          for (const watch of watchers) watch()
        },
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  })
  sdk.start()
  return {
    ended,
    open: () => [...begun.values()].map(({ name }) => name),
    whole: (traceId, test = (spans) => spans.length > 0) =>
      new Promise((resolve) => {
        const isMine = (span: HostSpan) => span.spanContext().traceId === traceId
        const watch = () => {
          const spans = ended.filter(isMine)
          if (!test(spans) || [...begun.values()].some(isMine)) return
          watchers.delete(watch)
          resolve(spans)
        }
        watchers.add(watch)
        watch()
      }),
    stop: () => sdk.shutdown(),
  }
}
