import { type Command, Option } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { type Measures, measureNames } from '../core/measures.ts'
import type { StatsKey } from '../core/store.ts'
import { snakeCase } from '../server/record-fields.ts'
import { addNameFilters, type FilterFlags, nameFilterOf } from './filter-options.ts'
import { type ListColumns, type ListOutput, listOutputs, listText } from './list-text.ts'
import { type SourceFlags, type Told, withSource } from './source.ts'
import { limitOf, sourceCommand } from './source-command.ts'
import { readAge } from './times.ts'
import { clock, dollars, figure } from './told-values.ts'
import { writeOut } from './write-out.ts'

interface Flags extends Omit<SourceFlags, 'output'>, FilterFlags {
  readonly groupBy: string
  readonly interval?: 'hour' | 'day'
  readonly since?: number
  readonly sort: string
  readonly limit?: string
  readonly output: ListOutput
}

const keys: Readonly<Record<string, StatsKey>> = {
  user: 'user',
  model: 'model',
  client: 'client',
  provider: 'provider',
  provider_name: 'providerName',
  tool: 'tool',
  none: 'none',
}
const sorts = new Map(measureNames.map((name) => [snakeCase(name), name]))

/** `sluice stats`: sums by user, model, tool and time. */
export function statsCommand(): Command {
  const command = sourceCommand({
    name: 'stats',
    description: 'print sums of what was used, the largest first',
    examples: [
      'sluice stats --since 30d',
      'sluice stats --group-by user --since 30d --sort cost_nano_usd',
      'sluice stats --group-by model --interval day --since 7d --output csv > week.csv',
    ],
  })
    .addOption(new Option('--group-by <key>', 'by what').choices(Object.keys(keys)).default('none'))
    .addOption(new Option('--interval <interval>', 'and by time, in UTC').choices(['hour', 'day']))
    .addOption(new Option('--since <age>', 'of the last 24h, 30d …').argParser(readAge))
    .addOption(
      new Option('--sort <sum>', 'which sum').choices([...sorts.keys()]).default('interceptions'),
    )
    .option('--limit <number>', 'at most so many rows, or rows of each hour or day')
    .addOption(
      new Option('--output <format>', 'how to print').choices(listOutputs).default('table'),
    )
  return addNameFilters(command).action(stats)
}

async function stats(flags: Flags): Promise<void> {
  const { groupBy, interval, since, sort, output, startedAfter } = flags
  if (since !== undefined && startedAfter !== undefined)
    throw new SluiceError('--since and --started-after: only one of them may be given', {
      code: 'ERR_SINCE',
    })
  const limit = limitOf(flags.limit, 1000)
  await withSource({ ...flags, output: 'json' }, async (source) => {
    const from = since === undefined ? undefined : new Date(Date.now() - since).toISOString()
    const rows = await source.stats({
      ...nameFilterOf(flags, source.me),
      ...(from !== undefined && { startedAfter: from }),
      ...(interval && { interval }),
      groupBy: keys[groupBy] as StatsKey,
      sort: sorts.get(sort) as keyof Measures,
      limit,
    })
    await writeOut(listText(each(rows), output, columnsOf(flags)))
  })
}

async function* each(rows: readonly Told[]): AsyncGenerator<Told, void> {
  yield* rows
}

const sums = [
  'interceptions',
  'prompts',
  'tool_calls',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_write_input_tokens',
] as const

function columnsOf({ groupBy, interval }: Flags): ListColumns<Told> {
  const length = interval === 'day' ? 10 : 16
  return {
    table: [
      ...(interval
        ? [{ name: interval, cell: (row: Told) => clock(row.bucket).slice(0, length) }]
        : []),
      ...(groupBy === 'none' ? [] : [{ name: groupBy, cell: (row: Told) => row.key }]),
      ...sums.map((name) => ({
        name: name.replace('_input_tokens', '').replace('_tokens', ''),
        cell: (row: Told) => figure(row[name]),
        align: 'right' as const,
      })),
      { name: 'cost', cell: (row) => dollars(row.cost_nano_usd, row.unpriced), align: 'right' },
      { name: 'unpriced', cell: (row) => row.unpriced || '', align: 'right' },
    ],
    csv: {
      ...(interval && { bucket: (row: Told) => row.bucket }),
      key: (row) => row.key,
      ...(groupBy === 'user' && { initiator_id: (row: Told) => row.initiator_id }),
      ...Object.fromEntries(
        [...sums, 'cost_nano_usd', 'unpriced'].map((name) => [name, (row: Told) => row[name]]),
      ),
    },
  }
}
