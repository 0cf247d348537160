import { type Meter, metrics } from '@opentelemetry/api'
import { forgetOldest } from '../core/forget-oldest.ts'
import type { Plugin } from '../core/plugin.ts'
import type { InterceptionRecord, InterceptionStart, RecordOf } from '../core/records.ts'
import type { Semconv } from '../core/tracing/tracing.ts'
import { genAiMeters } from './gen-ai-metrics/meters.ts'
import { KnownNames } from './metrics/known-names.ts'

export interface GenAiMetricsOptions {
  /** By which version of the semantic conventions they are named. @default '1.41' */
  readonly semconv?: Semconv
  /** Where providers are, by instance name: for `server.address` and `server.port`. @default not told */
  readonly servers?: Readonly<Record<string, URL>>
  /** How many models have series of their own; others are `other`. @default 200 */
  readonly maxNames?: number
  /** @default that of the meter provider that is registered with `@opentelemetry/api` */
  readonly meter?: Meter
}

interface Seen {
  readonly start: InterceptionStart
  used: boolean
}

/** OpenTelemetry's metrics of generative AI, from the very records. */
export function genAiMetrics({
  semconv = '1.41',
  servers = {},
  maxNames = 200,
  meter = metrics.getMeter('sluice'),
}: GenAiMetricsOptions = {}): Plugin {
  const meters = genAiMeters(meter, semconv)
  const models = new KnownNames(maxNames)
  const running = new Map<string, Seen>()
  const ended = new Map<string, Seen>()

  function attributesOf({ provider, providerName, model }: InterceptionStart) {
    const server = servers[providerName]
    return {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': models.fold(model),
      ...(server && { 'server.address': server.hostname, 'server.port': portOf(server) }),
    }
  }

  function over(record: RecordOf<'interception_end'>, seen: Seen): void {
    const { interceptionId, outcome, errorType, durationMs, upstreamMs, timeToFirstTokenMs } =
      record
    running.delete(interceptionId)
    ended.set(interceptionId, seen)
    forgetOldest(ended, 1000)
    // Where nothing was sent upstream there was no call of a model.
    if (upstreamMs === null) return
    // A model that answers exists; what else clients write there could be anything.
    if (outcome === 'completed') models.learn(seen.start.model)
    const attributes = attributesOf(seen.start)
    const failed = outcome === 'completed' ? {} : { 'error.type': errorType ?? outcome }
    meters.duration(upstreamMs / 1000, { ...attributes, ...failed })
    if (outcome === 'completed' && !seen.used) meters.noUsage(attributes)
    if (timeToFirstTokenMs === null || !seen.start.streaming) return
    const waited = Math.max(0, timeToFirstTokenMs - (durationMs - upstreamMs))
    meters.firstChunk(waited / 1000, attributes)
  }

  function count(record: InterceptionRecord): void {
    const { interceptionId } = record
    if (record.type === 'interception_start') {
      running.set(interceptionId, { start: record, used: false })
      return
    }
    if (record.type !== 'interception_end' && record.type !== 'token_usage') return
    const seen = running.get(interceptionId) ?? ended.get(interceptionId)
    if (!seen) return
    if (record.type === 'interception_end') return over(record, seen)
    seen.used = true
    models.learn(seen.start.model)
    meters.usage(record, attributesOf(seen.start))
  }

  return {
    name: 'gen-ai-metrics',
    record: (records) => {
      for (const record of records) count(record)
    },
  }
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
