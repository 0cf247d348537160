import type { Dashboard, VariableModel } from '@grafana/schema'
import { dashboard, type PanelSpec, type Query, type Visual } from './panel.ts'

const dataSource = { type: 'prometheus', uid: '${datasource}' }
const chosen = 'provider=~"$provider", model=~"$model", client=~"$client"'
/** Others tell these of their processes, too. */
const ours = 'and on (instance, job) sluice_build_info'
const known = 'provider=~"$provider", model=~"$model"'

/** What the gateways' `/metrics` say, in Prometheus. */
export const metricsDashboard: Dashboard = dashboard({
  uid: 'sluice-metrics',
  title: 'Sluice: traffic and health',
  description: 'Usage, cost, outcomes, latency and the gateways’ own health, from their /metrics.',
  dataSource,
  variables: [
    {
      type: 'datasource',
      name: 'datasource',
      label: 'Prometheus',
      query: 'prometheus',
      current: { text: '', value: '' },
    },
    labelVariable('provider', 'Provider', 'sluice_interceptions_total'),
    labelVariable('model', 'Model', 'sluice_interceptions_total{provider=~"$provider"}'),
    labelVariable('client', 'Client', 'sluice_interceptions_total'),
  ],
  rows: [
    {
      title: 'Usage',
      panels: [
        stat('Tokens', `sum(increase(sluice_tokens_total{${chosen}, ${fourKinds()}}[$__range]))`),
        stat('Cost', `sum(increase(sluice_cost_usd_total{${chosen}}[$__range]))`, 'currencyUSD'),
        stat('Interceptions', `sum(increase(sluice_interceptions_total{${chosen}}[$__range]))`),
        stat('Prompts', `sum(increase(sluice_prompts_total{${chosen}}[$__range]))`),
        {
          ...panel('Tokens over time', 'timeseries', [
            over(
              `sum by (type) (increase(sluice_tokens_total{${chosen}, ${fourKinds()}}[$__interval]))`,
              '{{type}}',
            ),
          ]),
          stacked: true,
        },
        {
          ...panel('Cost over time by model', 'timeseries', [
            over(
              `sum by (model) (increase(sluice_cost_usd_total{${chosen}}[$__interval]))`,
              '{{model}}',
            ),
          ]),
          unit: 'currencyUSD',
          stacked: true,
        },
        top('Top models', 'model', 'piechart'),
        top('Top clients', 'client', 'piechart'),
        panel(
          'User leaderboard',
          'barchart',
          [
            at(
              `topk(20, sum by (initiator_id) (increase(sluice_tokens_total{${chosen}, initiator_id!="", ${fourKinds()}}[$__range])))`,
              '{{initiator_id}}',
            ),
          ],
          'Tokens by user. Only where the gateways run with metrics-initiator.',
        ),
        panel('Tools', 'barchart', [
          at(
            `topk(20, sum by (name) (increase(sluice_non_injected_tool_selections_total{${known}}[$__range])))`,
            '{{name}}',
          ),
          at(
            `topk(20, sum by (name) (increase(sluice_injected_tool_invocations_total{${known}}[$__range])))`,
            '{{name}} (injected)',
          ),
        ]),
      ],
    },
    {
      title: 'Outcomes and latency',
      panels: [
        {
          ...panel('Interceptions by outcome', 'timeseries', [
            over(
              `sum by (outcome) (increase(sluice_interceptions_total{${chosen}}[$__interval]))`,
              '{{outcome}}',
            ),
          ]),
          stacked: true,
        },
        {
          ...panel('Failures', 'timeseries', [
            over(
              `(${perSecond(', status="failed"')} or ${perSecond('')} * 0) / ${perSecond('')}`,
              '{{provider}}',
            ),
          ]),
          unit: 'percentunit',
        },
        quantiles('Time to the first token', 'sluice_time_to_first_token_seconds', known),
        quantiles('Duration', 'sluice_interceptions_duration_seconds', known),
        {
          ...quantiles('Added by the gateway', 'sluice_overhead_seconds', 'provider=~"$provider"'),
          description:
            'Until a request is sent upstream, and while the reply’s end waits for its records.',
        },
        quantiles('Waiting for records', 'sluice_commit_wait_seconds', ''),
        panel('Passed on unread', 'timeseries', [
          over(
            'sum by (route) (increase(sluice_passthrough_total{provider=~"$provider"}[$__interval]))',
            '{{route}}',
          ),
        ]),
        panel('In flight', 'timeseries', [
          over(
            `sum by (provider) (sluice_interceptions_inflight{provider=~"$provider"})`,
            '{{provider}}',
          ),
        ]),
      ],
    },
    {
      title: 'Health of the gateways',
      panels: [
        panel('Open requests', 'timeseries', [
          over('sum by (instance) (sluice_open_streams)', '{{instance}}'),
        ]),
        panel('Records that wait', 'timeseries', [
          over(
            'sum by (instance, recorder) (sluice_recorder_queue_records)',
            '{{instance}} {{recorder}}',
          ),
        ]),
        {
          ...panel('Journal', 'timeseries', [
            over('sum by (instance) (sluice_journal_bytes)', '{{instance}}'),
          ]),
          unit: 'bytes',
        },
        panel('Records dropped', 'timeseries', [
          over(
            'sum by (recorder, reason) (increase(sluice_records_dropped_total[$__interval]))',
            '{{recorder}} {{reason}}',
          ),
        ]),
        panel('Replies released unrecorded', 'timeseries', [
          over(
            'sum by (instance) (increase(sluice_commit_wait_missed_total[$__interval]))',
            '{{instance}}',
          ),
        ]),
        panel('Plugin errors', 'timeseries', [
          over('sum by (plugin) (increase(sluice_plugin_errors_total[$__interval]))', '{{plugin}}'),
        ]),
        panel('Refused requests', 'timeseries', [
          over('sum by (reason) (increase(sluice_refused_total[$__interval]))', '{{reason}}'),
        ]),
        panel('Replies without usage', 'timeseries', [
          over(
            'sum by (provider) (increase(sluice_usage_missing_total[$__interval]))',
            '{{provider}}',
          ),
        ]),
        {
          ...panel('Event loop delay', 'timeseries', [
            over(
              'sluice_event_loop_delay_seconds{percentile=~"50|99"}',
              '{{instance}} p{{percentile}}',
            ),
          ]),
          unit: 's',
          description: 'How late timers come in the process that is worst off: it is busy.',
        },
        {
          ...panel('CPU', 'timeseries', [
            over(`rate(process_cpu_seconds_total[$__rate_interval]) ${ours}`, '{{instance}}'),
          ]),
          unit: 'percentunit',
          description: 'Of one core; of all processes together.',
        },
        {
          ...panel('Memory', 'timeseries', [
            over(`process_resident_memory_bytes ${ours}`, '{{instance}}'),
          ]),
          unit: 'bytes',
        },
        panel('Workers that died', 'timeseries', [
          over('increase(sluice_worker_deaths_total[$__interval])', '{{instance}}'),
        ]),
      ],
    },
  ],
})

function perSecond(more: string): string {
  return `sum by (provider) (rate(sluice_interceptions_total{${chosen}${more}}[$__rate_interval]))`
}

function fourKinds(): string {
  return 'type=~"input|output|cache_read_input_tokens|cache_write_input_tokens"'
}

function panel(
  title: string,
  visual: Visual,
  queries: readonly Query[],
  description?: string,
): PanelSpec {
  return {
    title,
    visual,
    queries,
    // Several scrapes long, so that `$__interval` always holds an increase: bars then are what they add up to.
    ...(visual === 'timeseries' && { interval: '1m' }),
    ...(description !== undefined && { description }),
  }
}

function stat(title: string, expr: string, unit = 'short'): PanelSpec {
  return { title, visual: 'stat', queries: [at(expr)], unit, width: 6, height: 4 }
}

function top(title: string, label: string, visual: Visual): PanelSpec {
  return panel(
    title,
    visual,
    [
      at(
        `topk(10, sum by (${label}) (increase(sluice_interceptions_total{${chosen}}[$__range])))`,
        `{{${label}}}`,
      ),
    ],
    'By interceptions.',
  )
}

function quantiles(title: string, metric: string, labels: string): PanelSpec {
  return {
    ...panel(
      title,
      'timeseries',
      [0.5, 0.95, 0.99].map((quantile) =>
        over(
          `histogram_quantile(${quantile}, sum by (le) (rate(${metric}_bucket{${labels}}[$__rate_interval])))`,
          `p${quantile * 100}`,
        ),
      ),
    ),
    unit: 's',
  }
}

/** One value at the end of the time range. */
function at(expr: string, legendFormat = ''): Query {
  return { expr, legendFormat, instant: true, range: false, editorMode: 'code' }
}

function over(expr: string, legendFormat: string): Query {
  return { expr, legendFormat, instant: false, range: true, editorMode: 'code' }
}

function labelVariable(name: string, label: string, metric: string): VariableModel {
  const query = `label_values(${metric}, ${name})`
  return {
    type: 'query',
    name,
    label,
    datasource: dataSource,
    query: { qryType: 1, query, refId: `variable-${name}` },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  }
}
