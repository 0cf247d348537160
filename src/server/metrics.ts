import { Counter, Registry } from 'prom-client'
import type { CounterName, Diagnostics } from '../core/diagnostics.ts'

const help: Readonly<Record<CounterName, string>> = {
  plugin_errors: 'Faults of plugins, by plugin',
  records_dropped: 'Records that were not kept, by recorder and reason',
  commit_wait_missed: 'Replies that were released before their records were committed',
  usage_missing: 'Replies in which the provider told no usage',
  refused: 'Requests that were refused and not recorded, by reason',
  observed_partial: 'Replies that passed but could not be observed to their end',
  unhandled_errors: 'Errors that nothing caught',
  log_lines_dropped: 'Lines of the log that could not be written',
}

/** All counts in Prometheus' text format. */
export async function metricsText(
  diagnostics: Diagnostics,
): Promise<{ readonly type: string; readonly text: string }> {
  const registry = new Registry()
  const counts = Map.groupBy(diagnostics.counts(), ({ name }) => name)
  for (const name of Object.keys(help) as CounterName[]) {
    const entries = counts.get(name) ?? []
    const labelNames = [...new Set(entries.flatMap(({ labels }) => Object.keys(labels)))]
    const counter = new Counter({
      name: `sluice_${name}_total`,
      help: help[name],
      labelNames,
      registers: [registry],
    })
    for (const { labels, value } of entries) counter.inc({ ...labels }, value)
  }
  return { type: registry.contentType, text: await registry.metrics() }
}
