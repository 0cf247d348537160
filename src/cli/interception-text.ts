import { printable } from '../server/printable.ts'
import { costOf, sum } from './interception-columns.ts'
import type { Told } from './source.ts'
import { shortened } from './table-text.ts'
import { clock, figure, seconds } from './told-values.ts'

/** One interception for people: the facts, then what was asked, thought and called. */
export function interceptionText(row: Told): string {
  const annotations = Object.entries(row.annotations ?? {}).map(
    ([name, value]) => `${name} ${value}`,
  )
  const facts: readonly (readonly [name: string, value: unknown])[] = [
    ['id', row.id],
    ['user', row.initiator?.username],
    ['client', row.client],
    ['provider', `${row.provider_name} (${row.provider})`],
    ['model', row.model],
    ['session', row.session_id],
    ['for', annotations.join(', ')],
    ['started', clock(row.started_at)],
    ['ended', row.ended_at === null ? 'still running' : clock(row.ended_at)],
    ['outcome', outcomeText(row)],
    ['tokens', tokensText(row)],
    ['cost', costOf(row)],
  ]
  const head = facts
    .filter(([, value]) => value !== '' && value !== undefined && value !== null)
    .map(([name, value]) => `${name.padEnd(9)} ${printable(String(value))}`)
  return [
    ...head,
    ...section('prompts', row.user_prompts, ({ prompt }) => prompt),
    ...section('thoughts', row.model_thoughts, ({ content, redacted }) =>
      redacted ? '(redacted)' : content,
    ),
    ...section('tools', row.tool_usages, toolText),
    ...section('results', row.tool_results, (result) =>
      [
        result.is_error ? 'error' : 'ok',
        `${figure(result.bytes)} bytes`,
        result.content ?? '',
      ].join('  '),
    ),
  ].join('\n')
}

/** `Bash {"command":"ls"}`, and how it failed. */
export function toolText({ tool, input, injected, invocation_error: fault }: Told): string {
  const failed = fault ? `  failed: ${fault}` : ''
  return `${tool}${injected ? ' (injected)' : ''} ${input}${failed}`
}

export function outcomeText({
  outcome,
  error_type,
  error_message,
  http_status,
  duration_ms,
}: Told): string {
  if (!outcome) return ''
  const why = [error_type && http_status, error_type].filter(Boolean).join(' ')
  const took = duration_ms === undefined ? '' : ` in ${seconds(duration_ms)}`
  return `${outcome}${why ? ` (${why})` : ''}${took}${error_message ? `: ${error_message}` : ''}`
}

function tokensText(row: Told): string {
  const input = sum(row, 'input_tokens')
  if (input === null) return ''
  const cached =
    (sum(row, 'cache_read_input_tokens') ?? 0) + (sum(row, 'cache_write_input_tokens') ?? 0)
  const aside = cached === 0 ? '' : ` (+${figure(cached)} cached)`
  return `${figure(input)} in${aside}, ${figure(sum(row, 'output_tokens'))} out`
}

function section(
  name: string,
  rows: readonly Told[] | undefined,
  text: (row: Told) => unknown,
): string[] {
  if (!rows || rows.length === 0) return []
  return ['', name, ...rows.map((row) => `  ${shortened(printable(String(text(row))), 400)}`)]
}
