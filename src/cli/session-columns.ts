import type { ListColumns } from './list-text.ts'
import type { Told } from './source.ts'
import { clock, dollars, figure } from './told-values.ts'

/** What a table, or CSV, tells of a conversation. */
export const sessionColumns: ListColumns<Told> = {
  table: [
    { name: 'last active', cell: (row) => clock(row.last_active_at) },
    { name: 'user', cell: (row) => row.initiator?.username },
    { name: 'client', cell: (row) => row.client },
    { name: 'models', cell: (row) => list(row.models) },
    { name: 'threads', cell: (row) => row.threads, align: 'right' },
    { name: 'tools', cell: (row) => figure(row.tool_calls), align: 'right' },
    { name: 'in', cell: (row) => figure(row.token_usage_summary?.input_tokens), align: 'right' },
    { name: 'out', cell: (row) => figure(row.token_usage_summary?.output_tokens), align: 'right' },
    { name: 'cost', cell: (row) => dollars(row.cost_nano_usd, row.unpriced), align: 'right' },
    { name: 'id', cell: (row) => row.id },
    { name: 'last prompt', cell: (row) => row.last_prompt },
  ],
  csv: {
    id: (row) => row.id,
    initiator_id: (row) => row.initiator?.id,
    initiator_username: (row) => row.initiator?.username,
    client: (row) => row.client,
    providers: (row) => list(row.providers),
    provider_names: (row) => list(row.provider_names),
    models: (row) => list(row.models),
    started_at: (row) => row.started_at,
    ended_at: (row) => row.ended_at,
    last_active_at: (row) => row.last_active_at,
    threads: (row) => row.threads,
    interceptions: (row) => row.interceptions,
    prompts: (row) => row.prompts,
    tool_calls: (row) => row.tool_calls,
    input_tokens: (row) => row.token_usage_summary?.input_tokens,
    output_tokens: (row) => row.token_usage_summary?.output_tokens,
    cache_read_input_tokens: (row) => row.token_usage_summary?.cache_read_input_tokens,
    cache_write_input_tokens: (row) => row.token_usage_summary?.cache_write_input_tokens,
    cost_nano_usd: (row) => row.cost_nano_usd,
    unpriced: (row) => row.unpriced,
    last_prompt: (row) => row.last_prompt,
  },
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.join(' ') : ''
}
