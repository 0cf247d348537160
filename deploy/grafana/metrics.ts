import type { Dashboard, VariableModel } from '@grafana/schema'
import { dashboard, type PanelSpec, type Query, type Visual } from './panel.ts'

const dataSource = { type: 'prometheus', uid: '${datasource}' }
const chosen = 'provider=~"$provider", model=~"$model", client=~"$client"'
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
              `sum by (type) (increase(sluice_tokens_total{${chosen}, ${fourKinds()}}[$__rate_interval]))`,
              '{{type}}',
            ),
          ]),
          stacked: true,
        },
        {
          ...panel('Cost over time by model', 'timeseries', [
            over(
              `sum by (model) (increase(sluice_cost_usd_total{${chosen}}[$__rate_interval]))`,
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
              `sum by (outcome) (increase(sluice_interceptions_total{${chosen}}[$__rate_interval]))`,
              '{{outcome}}',
            ),
          ]),
          stacked: true,
        },
        {
          ...panel('Failures', 'timeseries', [
            over(
              `sum by (provider) (rate(sluice_interceptions_total{${chosen}, status="failed"}[$__rate_interval])) / sum by (provider) (rate(sluice_interceptions_total{${chosen}}[$__rate_interval]))`,
              '{{provider}}',
            ),
          ]),
          unit: 'percentunit',
        },
        quantiles('Time to the first token', 'sluice_time_to_first_token_seconds', known),
        quantiles('Duration', 'sluice_interceptions_duration_seconds', known),
        quantiles('Added by the gateway', 'sluice_overhead_seconds', 'provider=~"$provider"'),
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
            'sum by (recorder, reason) (increase(sluice_records_dropped_total[$__rate_interval]))',
            '{{recorder}} {{reason}}',
          ),
        ]),
        panel('Replies released unrecorded', 'timeseries', [
          over(
            'sum by (instance) (increase(sluice_commit_wait_missed_total[$__rate_interval]))',
            '{{instance}}',
          ),
        ]),
        panel('Plugin errors', 'timeseries', [
          over(
            'sum by (plugin) (increase(sluice_plugin_errors_total[$__rate_interval]))',
            '{{plugin}}',
          ),
        ]),
        panel('Refused requests', 'timeseries', [
          over('sum by (reason) (increase(sluice_refused_total[$__rate_interval]))', '{{reason}}'),
        ]),
        panel('Replies without usage', 'timeseries', [
          over(
            'sum by (provider) (increase(sluice_usage_missing_total[$__rate_interval]))',
            '{{provider}}',
          ),
        ]),
      ],
    },
  ],
})

function fourKinds(): string {
  return 'type=~"input|output|cache_read_input_tokens|cache_write_input_tokens"'
}

function panel(
  title: string,
  visual: Visual,
  queries: readonly Query[],
  description?: string,
): PanelSpec {
  return { title, visual, queries, ...(description !== undefined && { description }) }
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
