import { Command, Option } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { addFilterOptions, checkFilter, type FilterFlags, filterOf } from './filter-options.ts'
import { forTerminal } from './for-terminal.ts'
import { interceptionColumns } from './interception-columns.ts'
import { interceptionText } from './interception-text.ts'
import { type ListOutput, listOutputs, listText } from './list-text.ts'
import { pagesOf } from './pages-of.ts'
import { type SourceFlags, withSource } from './source.ts'
import { limitOf, sourceCommand } from './source-command.ts'
import { writeOut } from './write-out.ts'

interface ListFlags extends Omit<SourceFlags, 'output'>, FilterFlags {
  readonly limit?: string
  readonly afterId?: string
  readonly sort?: 'newest' | 'oldest'
  readonly all?: boolean
  readonly output: ListOutput
}

interface ShowFlags extends Omit<SourceFlags, 'output'> {
  readonly output: 'text' | 'json'
}

/** `sluice interceptions …`: what is recorded, from a running gateway or from the store itself. */
export function interceptionsCommand(): Command {
  return new Command('interceptions')
    .description('look at what is recorded')
    .addCommand(listCommand())
    .addCommand(showCommand())
}

function listCommand(): Command {
  const command = sourceCommand({
    name: 'list',
    description: 'print recorded interceptions, the newest first, as a JSON array',
    examples: [
      'sluice interceptions list --limit 5 --output table',
      'sluice interceptions list --initiator alice --url http://127.0.0.1:4141',
      'sluice interceptions list --repo parser --branch main --issue 42',
      'sluice interceptions list --all --started-after 2026-01-01 --output ndjson > all.ndjson',
      "sluice interceptions list | jq '.[].model'",
    ],
  })
  return addFilterOptions(command)
    .option('--after-id <id>', 'only what comes behind this one: the last of the page before')
    .addOption(new Option('--sort <order>', 'by start').choices(['newest', 'oldest']))
    .option('--limit <number>', 'at most so many, from 1 to 1000 (default: 100)')
    .option('--all', 'as many as there are, page by page')
    .addOption(new Option('--output <format>', 'how to print').choices(listOutputs).default('json'))
    .action((flags: ListFlags) => list(flags))
}

async function list(flags: ListFlags): Promise<void> {
  const { limit, all = false, sort, afterId, output } = flags
  if (all && limit !== undefined)
    throw new SluiceError('--all and --limit: only one of them may be given', { code: 'ERR_LIMIT' })
  const size = all ? 1000 : limitOf(limit)
  checkFilter(flags)
  await withSource({ ...flags, output: 'json' }, async (source) => {
    const query = {
      ...filterOf(flags, source.me),
      limit: size,
      ...(sort && { sort }),
      ...(afterId !== undefined && { after: afterId }),
    }
    const rows = pagesOf(query, all, async (page) => (await source.interceptions(page)).results)
    await writeOut(listText(rows, output, interceptionColumns))
  })
}

function showCommand(): Command {
  return sourceCommand({
    name: 'show',
    description: 'print one interception with all that was recorded of it',
    examples: [
      'sluice interceptions show 019a8f3e-0000-7000-8000-000000000000',
      'sluice interceptions show 019a8f3e-0000-7000-8000-000000000000 --output json',
    ],
  })
    .argument('<id>', 'as list shows it')
    .addOption(
      new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'),
    )
    .action((id: string, flags: ShowFlags) =>
      withSource(flags, async (source) => {
        const found = await source.interception(id)
        if (!found)
          throw new SluiceError(`there is no interception "${id}" to see`, {
            code: 'ERR_NOT_FOUND',
          })
        const text =
          flags.output === 'json'
            ? forTerminal(JSON.stringify(found, null, 2))
            : interceptionText(found)
        await writeOut([`${text}\n`])
      }),
    )
}
