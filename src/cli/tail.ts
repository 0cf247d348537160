import { once } from 'node:events'
import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import { printable } from '../server/printable.ts'
import { readable } from '../server/serve-log.ts'
import { addFilterOptions, checkFilter, type FilterFlags, filterOf } from './filter-options.ts'
import { forTerminal } from './for-terminal.ts'
import { sum, toolsOf } from './interception-columns.ts'
import { type Source, type SourceFlags, type Told, withSource } from './source.ts'
import { sourceCommand } from './source-command.ts'

interface Flags extends Omit<SourceFlags, 'output'>, FilterFlags {
  readonly output: 'text' | 'ndjson'
}

/** `sluice tail`: interceptions as they end, until Ctrl-C. */
export function tailCommand(): Command {
  const command = sourceCommand({
    name: 'tail',
    description: 'print interceptions as they end, a line each, until Ctrl-C',
    examples: [
      'sluice tail --url http://127.0.0.1:4141',
      'sluice tail --initiator alice --outcome failed',
      "sluice tail --output ndjson | jq '.token_usages[].output_tokens'",
    ],
  }).addOption(
    new Option('--output <format>', 'how to print').choices(['text', 'ndjson']).default('text'),
  )
  return addFilterOptions(command, { running: false }).action((flags: Flags) => {
    checkFilter(flags)
    return withSource({ ...flags, output: 'json' }, (source) => tail(source, flags))
  })
}

async function tail(source: Source, flags: Flags): Promise<void> {
  const ending = new AbortController()
  const end = () => ending.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  // Whoever reads may have seen enough (`| head`), which is known only when something is written.
  process.stdout.once('error', end)
  process.stdout.once('close', end)
  const rows = source.followed({
    filter: filterOf(flags, source.me),
    signal: ending.signal,
    notice: (text) => process.stderr.write(`sluice: ${printable(text)}\n`),
  })
  for await (const row of rows) {
    if (ending.signal.aborted) break
    const text = flags.output === 'ndjson' ? forTerminal(JSON.stringify(row)) : lineOf(row)
    // A slow reader slows us down, and the gateway sees to the rest.
    if (!process.stdout.write(`${text}\n`))
      await once(process.stdout, 'drain', { signal: ending.signal }).catch(() => {})
  }
}

/** As `serve` tells it. */
function lineOf(row: Told): string {
  const time = new Date(row.ended_at ?? row.started_at).toTimeString().slice(0, 8)
  const line = printable(
    readable({
      interceptionId: row.id,
      initiator: row.initiator?.username ?? '?',
      client: row.client ?? '?',
      provider: row.provider_name ?? '?',
      model: row.model ?? '',
      inputTokens: sum(row, 'input_tokens'),
      outputTokens: sum(row, 'output_tokens'),
      cacheReadInputTokens: sum(row, 'cache_read_input_tokens'),
      cacheWriteInputTokens: sum(row, 'cache_write_input_tokens'),
      tools: toolsOf(row),
      outcome: row.outcome ?? 'running',
      errorType: row.error_type ?? null,
      httpStatus: row.http_status ?? null,
      durationMs: row.duration_ms ?? 0,
    }),
  )
  const isFine = row.outcome === 'completed'
  const styles = isFine ? ([] as const) : (['red'] as const)
  const stream = { stream: process.stdout }
  return `${styleText('dim', time, stream)} ${styleText([...styles], line, stream)}`
}
