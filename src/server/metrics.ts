import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import type { CounterName, Diagnostics } from '../core/diagnostics.ts'

/** What one process has counted, as plain data: what workers send to the primary. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export interface Metrics {
  /** Whatever else is measured in this process registers here: with workers it is summed, too. */
  readonly registry: Registry
  snapshot(): Promise<MetricsSnapshot>
}

export interface MetricsSources {
  readonly diagnostics: Diagnostics
  /** What is so at the moment; left out where a process serves nobody. */
  readonly gateway?: {
    readonly openRequests: number
    readonly queues: readonly { readonly recorder: string; readonly records: number }[]
  }
  /** Of which one behind a journal says what that takes. */
  readonly recorder?: object
}

/** The metrics of this process. */
export function createMetrics({ diagnostics, gateway, recorder = {} }: MetricsSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  for (const [name, { help, labelNames }] of Object.entries(counters)) {
    new Counter({
      name: `sluice_${name}_total`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        for (const count of diagnostics.counts())
          if (count.name === name) this.inc({ ...count.labels }, count.value)
      },
    })
  }
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
  if ('journalBytes' in recorder) {
    new Gauge({
      name: 'sluice_journal_bytes',
      help: 'What the journal takes on disk',
      registers,
      collect() {
        this.set(Number(recorder.journalBytes))
      },
    })
  }
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

const counters: Readonly<
  Record<CounterName, { readonly help: string; readonly labelNames: string[] }>
> = {
  plugin_errors: { help: 'Faults of plugins, by plugin', labelNames: ['plugin'] },
  records_dropped: {
    help: 'Records that were not kept, by recorder and reason',
    labelNames: ['recorder', 'reason'],
  },
  commit_wait_missed: {
    help: 'Replies that were released before their records were committed',
    labelNames: [],
  },
  usage_missing: {
    help: 'Replies in which the provider told no usage',
    labelNames: ['provider'],
  },
  refused: {
    help: 'Requests that were refused and not recorded, by reason',
    labelNames: ['reason'],
  },
  observed_partial: {
    help: 'Replies that passed but could not be observed to their end',
    labelNames: ['provider'],
  },
  unhandled_errors: { help: 'Errors that nothing caught', labelNames: ['source'] },
  mcp_pool: {
    help: 'Toolboxes of MCP servers asked for and given up, by event',
    labelNames: ['event'],
  },
  log_lines_dropped: {
    help: 'Lines of the log that could not be written',
    labelNames: ['reason'],
  },
  pruned: {
    help: 'Interceptions that retention removed, or whose content it removed',
    labelNames: ['kind'],
  },
}
