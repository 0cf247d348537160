import type { Registry } from 'prom-client'
import type { CounterName, Diagnostics } from '../../core/diagnostics.ts'
import { exposeCells, exposeDurations, type Family } from './expose.ts'

/** Exposes what a gateway counts of itself; once for a registry. */
export function ownCounts(registry: Registry, diagnostics: Diagnostics): void {
  if (registry.getSingleMetric('sluice_refused_total')) return
  for (const [name, { help, labelNames }] of Object.entries(counters)) {
    const family = { name: `sluice_${name}_total`, help, labelNames }
    exposeCells(registry, 'counter', family, () =>
      diagnostics
        .counts()
        .filter((count) => count.name === name)
        .map(({ labels, value }) => ({
          labels: labelNames.map((label) => labels[label] ?? ''),
          value,
        })),
    )
  }
  exposeDurations(
    registry,
    {
      name: 'sluice_overhead_seconds',
      help: 'What the gateway itself took: until a request was sent upstream, and while its reply’s end was held',
      labelNames: ['provider'],
    },
    diagnostics.overhead,
  )
  exposeDurations(
    registry,
    {
      name: 'sluice_commit_wait_seconds',
      help: 'How long ends of replies waited for their records to be kept',
      labelNames: [],
    },
    diagnostics.commitWait,
  )
}

const counters: Readonly<Record<CounterName, Omit<Family<string>, 'name'>>> = {
  passthrough: {
    help: 'Requests that were passed on unread, by route',
    labelNames: ['provider', 'route', 'method'],
  },
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
