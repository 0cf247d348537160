import { AggregatorRegistry, Gauge, Registry } from 'prom-client'
import type { Diagnostics } from '../core/diagnostics.ts'
import { ownCounts } from '../plugins/metrics/own-counts.ts'
import { processMetrics } from './process-metrics.ts'

/** What one process has counted, as plain data: what workers send to the primary. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export interface Metrics {
  /** Whatever else is measured in this process registers here: with workers it is summed, too. */
  readonly registry: Registry
  snapshot(): Promise<MetricsSnapshot>
}

export interface MetricsSources {
  readonly diagnostics: Diagnostics
  /** What plugins register their metrics with already. @default a new one */
  readonly registry?: Registry
  /** What is so at the moment; left out where a process serves nobody. */
  readonly gateway?: {
    readonly openRequests: number
    readonly queues: readonly { readonly recorder: string; readonly records: number }[]
  }
  /** Of which one behind a journal says what that takes. */
  readonly recorder?: object
}

/** The metrics of this process. */
export function createMetrics({
  diagnostics,
  registry = new Registry(),
  gateway,
  recorder = {},
}: MetricsSources): Metrics {
  const registers = [registry]
  ownCounts(registry, diagnostics)
  processMetrics(registry)
  if (gateway) {
    new Gauge({
      name: 'sluice_open_streams',
      help: 'Requests that are being served',
      registers,
      collect() {
        this.set(gateway.openRequests)
      },
    })
    new Gauge({
      name: 'sluice_recorder_queue_records',
      help: 'Records that wait for a recorder',
      labelNames: ['recorder'],
      registers,
      collect() {
        for (const { recorder, records } of gateway.queues) this.set({ recorder }, records)
      },
    })
  }
  new Gauge({
    name: 'sluice_journal_bytes',
    help: 'What the journal takes on disk; 0 where there is none',
    registers,
    collect() {
      this.set('journalBytes' in recorder ? Number(recorder.journalBytes) : 0)
    },
  })
  return { registry, snapshot: () => registry.getMetricsAsJSON() }
}

/** Adds up what several processes have counted. */
export function sumOf(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  return AggregatorRegistry.aggregate([...snapshots]).getMetricsAsJSON()
}

/** Only what goes on counting when its process is dead: nothing that was so at the moment. */
export function lasting(snapshot: MetricsSnapshot): MetricsSnapshot {
  // Their declarations say an enum of numbers; these are names.
  return snapshot.filter(({ type }) => ['counter', 'histogram'].includes(String(type)))
}

/** A snapshot in Prometheus' text format. */
export async function metricsText(
  snapshot: MetricsSnapshot,
): Promise<{ readonly type: string; readonly text: string }> {
  const registry = AggregatorRegistry.aggregate([snapshot])
  return { type: registry.contentType, text: await registry.metrics() }
}
