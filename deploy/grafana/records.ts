import type { Dashboard, VariableModel } from '@grafana/schema'
import { dashboard, type PanelSpec, type Query } from './panel.ts'

const dataSource = { type: 'yesoreyeram-infinity-datasource', uid: '${datasource}' }
const api = '/api/v2/aibridge'
const range = 'started_after=${__from:date:iso}&started_before=${__to:date:iso}'
const chosen =
  'initiator=${username:percentencode}&provider_name=${provider:percentencode}&model=${model:percentencode}&client=${client:percentencode}'
// Null where no price is known.
const cost = '(cost_nano_usd = null ? null : cost_nano_usd / 1000000000)'
const used = 'input_tokens + output_tokens + cache_read_input_tokens + cache_write_input_tokens'
const bySum = 'stats?group_by'
const ofInterception =
  '"id": $of.id, "user": $of.initiator.username, "client": $of.client, "provider": $of.provider_name, "model": $of.model'
const interceptionColumns = [
  text('id', 'Interception'),
  text('user', 'User'),
  text('client', 'Client'),
  text('provider', 'Provider'),
  text('model', 'Model'),
]

/** What the gateways recorded, through their REST API: who asked what, which tools were called, what it cost. */
export const recordsDashboard: Dashboard = dashboard({
  uid: 'sluice-records',
  title: 'Sluice: prompts, tools and cost',
  description: 'Who asked what, which tools the models called, what it cost: from the REST API.',
  dataSource,
  variables: [
    {
      type: 'datasource',
      name: 'datasource',
      label: 'Infinity',
      query: 'yesoreyeram-infinity-datasource',
      current: { text: '', value: '' },
    },
    valueVariable('username', 'User', 'user'),
    valueVariable('provider', 'Provider', 'provider_name'),
    valueVariable('model', 'Model', 'model'),
    valueVariable('client', 'Client', 'client'),
  ],
  rows: [
    {
      title: 'Leaderboards',
      panels: [
        stat(
          'Tokens',
          `${bySum}=none`,
          `results.{ "tokens": ${used} }`,
          number('tokens', 'Tokens'),
        ),
        stat('Interceptions', `${bySum}=none`, 'results', number('interceptions', 'Interceptions')),
        stat('Prompts', `${bySum}=none`, 'results', number('prompts', 'Prompts')),
        {
          ...stat('Cost', `${bySum}=none`, `results.{ "cost": ${cost} }`, number('cost', 'Cost')),
          unit: 'currencyUSD',
        },
        {
          title: 'Tokens by user',
          visual: 'barchart',
          queries: [
            query(`${bySum}=user`, `results.{ "user": key, "tokens": ${used} }`, [
              text('user', 'User'),
              number('tokens', 'Tokens'),
            ]),
          ],
          options: { xField: 'User' },
          transformations: largestFirst('Tokens', 20),
        },
        {
          title: 'Cost by user',
          visual: 'barchart',
          queries: [
            query(`${bySum}=user`, `results.{ "user": key, "cost": ${cost} }`, [
              text('user', 'User'),
              number('cost', 'Cost'),
            ]),
          ],
          unit: 'currencyUSD',
          options: { xField: 'User' },
          transformations: largestFirst('Cost', 20),
        },
        pie('Top models', 'model'),
        pie('Top clients', 'client'),
        {
          title: 'Cost by model',
          visual: 'table',
          width: 24,
          queries: [
            query(
              `${bySum}=model`,
              `results.{ "model": key, "input": input_tokens, "output": output_tokens, "read": cache_read_input_tokens, "write": cache_write_input_tokens, "cost": ${cost} }`,
              [
                text('model', 'Model'),
                number('input', 'Input tokens'),
                number('output', 'Output tokens'),
                number('read', 'Cache read'),
                number('write', 'Cache write'),
                number('cost', 'Cost'),
              ],
            ),
          ],
          overrides: [
            {
              matcher: { id: 'byName', options: 'Cost' },
              properties: [{ id: 'unit', value: 'currencyUSD' }],
            },
          ],
          options: { footer: { show: true, reducer: ['sum'], countRows: false } },
          transformations: largestFirst('Cost', 100),
        },
      ],
    },
    {
      title: 'Over time',
      panels: [
        {
          title: 'Interceptions by user',
          visual: 'timeseries',
          width: 24,
          stacked: true,
          queries: [
            query(`${bySum}=user&interval=hour`, 'results', [
              { selector: 'bucket', text: 'Time', type: 'timestamp' },
              text('key', 'User'),
              number('interceptions', 'Interceptions'),
            ]),
          ],
          transformations: [
            { id: 'partitionByValues', options: { fields: ['User'], keepFields: false } },
          ],
        },
      ],
    },
    {
      title: 'Prompts and tool calls',
      panels: [
        {
          title: 'User prompts',
          visual: 'table',
          width: 24,
          height: 10,
          queries: [
            query(
              'interceptions?limit=500',
              `results.($of := $; user_prompts.{ ${ofInterception}, "prompt": prompt, "at": created_at })`,
              [...interceptionColumns, text('prompt', 'Prompt'), time('at', 'Created at')],
            ),
          ],
        },
        {
          title: 'Tool calls',
          visual: 'table',
          width: 24,
          height: 10,
          queries: [
            query(
              'interceptions?limit=500',
              `results.($of := $; tool_usages.{ ${ofInterception}, "server": server_url, "tool": tool, "input": input, "error": invocation_error, "at": created_at })`,
              [
                ...interceptionColumns,
                text('server', 'MCP server'),
                text('tool', 'Tool'),
                text('input', 'Input'),
                text('error', 'Error'),
                time('at', 'Created at'),
              ],
            ),
          ],
          overrides: [
            {
              matcher: { id: 'byName', options: 'Error' },
              properties: [
                { id: 'custom.cellOptions', value: { type: 'color-background', applyToRow: true } },
                {
                  id: 'mappings',
                  value: [
                    { type: 'regex', options: { pattern: '.+', result: { color: 'dark-red' } } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  ],
})

interface Column {
  readonly selector: string
  readonly text: string
  readonly type: 'string' | 'number' | 'timestamp'
}

/** One request to the API; the selector is JSONata over its reply. */
function query(path: string, selector: string, columns: readonly Column[]): Query {
  return {
    type: 'json',
    source: 'url',
    format: 'table',
    parser: 'backend',
    url: `${api}/${path}${path.includes('?') ? '&' : '?'}${range}&${chosen}`,
    url_options: { method: 'GET', data: '' },
    root_selector: selector,
    columns,
    filters: [],
  }
}

function stat(title: string, path: string, selector: string, column: Column): PanelSpec {
  return { title, visual: 'stat', queries: [query(path, selector, [column])], width: 6, height: 4 }
}

function pie(title: string, key: 'model' | 'client'): PanelSpec {
  return {
    title,
    visual: 'piechart',
    queries: [
      query(`${bySum}=${key}&limit=10`, 'results', [
        text('key', title),
        number('interceptions', 'Interceptions'),
      ]),
    ],
  }
}

function text(selector: string, name: string): Column {
  return { selector, text: name, type: 'string' }
}

function number(selector: string, name: string): Column {
  return { selector, text: name, type: 'number' }
}

function time(selector: string, name: string): Column {
  return { selector, text: name, type: 'timestamp' }
}

function largestFirst(field: string, limit: number): NonNullable<PanelSpec['transformations']> {
  return [
    { id: 'sortBy', options: { sort: [{ field, desc: true }] } },
    { id: 'limit', options: { limitField: limit } },
  ]
}

/** All that occur in the time range; `*` is what the API takes for any. */
function valueVariable(name: string, label: string, key: string): VariableModel {
  return {
    type: 'query',
    name,
    label,
    datasource: dataSource,
    query: {
      queryType: 'infinity',
      query: '',
      infinityQuery: {
        refId: `variable-${name}`,
        type: 'json',
        source: 'url',
        format: 'table',
        parser: 'backend',
        url: `${api}/stats?group_by=${key}&limit=1000&${range}`,
        url_options: { method: 'GET', data: '' },
        root_selector: 'results',
        columns: [text('key', label)],
        filters: [],
      },
    },
    refresh: 2,
    sort: 1,
    includeAll: true,
    allValue: '*',
    current: { text: 'All', value: '$__all' },
  }
}
