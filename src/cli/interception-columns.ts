import { annotationNames } from '../core/annotations.ts'
import type { ListColumns } from './list-text.ts'
import type { Told } from './source.ts'
import { clock, dollars, figure, seconds } from './told-values.ts'

/** What a table, or CSV, tells of an interception. */
export const interceptionColumns: ListColumns<Told> = {
  table: [
    { name: 'started', cell: (row) => clock(row.started_at) },
    { name: 'user', cell: (row) => row.initiator?.username },
    { name: 'client', cell: (row) => row.client },
    { name: 'provider', cell: (row) => row.provider_name },
    { name: 'model', cell: (row) => row.model },
    { name: 'in', cell: (row) => figure(sum(row, 'input_tokens')), align: 'right' },
    { name: 'out', cell: (row) => figure(sum(row, 'output_tokens')), align: 'right' },
    { name: 'cost', cell: costOf, align: 'right' },
    { name: 'tools', cell: (row) => row.tool_usages?.length || '', align: 'right' },
    { name: 'outcome', cell: (row) => row.outcome ?? 'running' },
    { name: 'took', cell: (row) => seconds(row.duration_ms), align: 'right' },
    { name: 'id', cell: (row) => row.id },
  ],
  csv: {
    id: (row) => row.id,
    started_at: (row) => row.started_at,
    ended_at: (row) => row.ended_at,
    initiator_id: (row) => row.initiator?.id,
    initiator_username: (row) => row.initiator?.username,
    ...members(
      'provider',
      'provider_name',
      'format',
      'model',
      'client',
      'session_id',
      'thread_root_id',
      'purpose',
      'streaming',
      'outcome',
      'error_type',
      'http_status',
      'finish_reason',
      'duration_ms',
      'time_to_first_token_ms',
    ),
    ...Object.fromEntries(
      annotationNames.map((name) => [name, (row: Told) => row.annotations?.[name]]),
    ),
    tool_calls: (row) => row.tool_usages?.length,
    tools: (row) => [...new Set(toolsOf(row))].join(' '),
    ...Object.fromEntries(
      [
        'input_tokens',
        'output_tokens',
        'cache_read_input_tokens',
        'cache_write_input_tokens',
        'cost_nano_usd',
      ].map((name) => [name, (row: Told) => sum(row, name)]),
    ),
  },
}

export function toolsOf(row: Told): string[] {
  return ((row.tool_usages ?? []) as Told[]).map(({ tool }) => String(tool))
}

/** For people. */
export function costOf(row: Told): string {
  const usages = (row.token_usages ?? []) as Told[]
  const unpriced = usages.filter(({ cost_nano_usd }) => cost_nano_usd === null).length
  return dollars(sum(row, 'cost_nano_usd'), unpriced)
}

/** Over all its replies; null where there is none, or none of which it is known. */
export function sum(row: Told, name: string): number | null {
  const values = ((row.token_usages ?? []) as Told[]).map((usage) => usage[name])
  const known = values.filter((value) => typeof value === 'number')
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0)
}

function members(...names: string[]): ListColumns<Told>['csv'] {
  return Object.fromEntries(names.map((name) => [name, (row: Told) => row[name]]))
}
