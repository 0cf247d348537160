import { Command, Option } from 'commander'
import { SluiceError } from '../core/errors.ts'
import type { SessionDetailQuery, SessionQuery } from '../core/store.ts'
import { addNameFilters, type FilterFlags, nameFilterOf } from './filter-options.ts'
import { forTerminal } from './for-terminal.ts'
import { type ListOutput, listOutputs, listText } from './list-text.ts'
import { pagesOf } from './pages-of.ts'
import { sessionColumns } from './session-columns.ts'
import { sessionHead, threadText } from './session-text.ts'
import { type Source, type SourceFlags, type Told, withSource } from './source.ts'
import { limitOf, sourceCommand } from './source-command.ts'
import { writeOut } from './write-out.ts'

interface ListFlags extends Omit<SourceFlags, 'output'>, FilterFlags {
  readonly limit?: string
  readonly afterSessionId?: string
  readonly afterInitiatorId?: string
  readonly sort?: 'active' | 'started' | 'oldest'
  readonly all?: boolean
  readonly output: ListOutput
}

interface ShowFlags extends Omit<SourceFlags, 'output'> {
  readonly initiator?: string
  readonly afterId?: string
  readonly beforeId?: string
  readonly limit?: string
  readonly all?: boolean
  readonly output: 'text' | 'json'
}

/** `sluice sessions …`: conversations, and what happened in one. */
export function sessionsCommand(): Command {
  return new Command('sessions')
    .description('look at conversations')
    .addCommand(listCommand())
    .addCommand(showCommand())
}

function listCommand(): Command {
  const command = sourceCommand({
    name: 'list',
    description: 'print conversations, the last active first',
    examples: [
      'sluice sessions list --limit 20',
      'sluice sessions list --initiator me --started-after 2026-01-01',
      'sluice sessions list --all --output csv > sessions.csv',
    ],
  })
  return addNameFilters(command)
    .option('--session-id <id>', 'of one id')
    .option('--after-session-id <id>', 'only what comes behind this one')
    .option('--after-initiator-id <id>', 'whose that one is, where several have one of that id')
    .addOption(new Option('--sort <order>', 'how').choices(['active', 'started', 'oldest']))
    .option('--limit <number>', 'at most so many, from 1 to 1000 (default: 100)')
    .option('--all', 'as many as there are, page by page')
    .addOption(
      new Option('--output <format>', 'how to print').choices(listOutputs).default('table'),
    )
    .action(list)
}

async function list(flags: ListFlags): Promise<void> {
  const { limit, all = false, sort, sessionId, output } = flags
  if (all && limit !== undefined)
    throw new SluiceError('--all and --limit: only one of them may be given', { code: 'ERR_LIMIT' })
  const size = all ? 1000 : limitOf(limit)
  await withSource({ ...flags, output: 'json' }, async (source) => {
    const query: SessionQuery & { limit: number } = {
      ...nameFilterOf(flags, source.me),
      limit: size,
      ...(sort && { sort }),
      ...(sessionId !== undefined && { sessionId }),
      ...(flags.afterSessionId !== undefined && { after: flags.afterSessionId }),
      ...(flags.afterInitiatorId !== undefined && { afterInitiatorId: flags.afterInitiatorId }),
    }
    const read = async (page: SessionQuery) => (await source.sessions(page)).sessions
    const rows = pagesOf<typeof query, Told>(query, all, read, (row) => ({
      after: row.id,
      afterInitiatorId: row.initiator.id,
    }))
    await writeOut(listText(rows, output, sessionColumns))
  })
}

function showCommand(): Command {
  return sourceCommand({
    name: 'show',
    description: 'print a conversation: what was asked, what the agent did for it',
    examples: [
      'sluice sessions show 7c0f --initiator alice',
      'sluice sessions show 7c0f --all | less',
      'sluice sessions show 7c0f --output json',
    ],
  })
    .argument('<id>', 'as list shows it')
    .option('--initiator <user>', 'whose it is, where several have one of this id')
    .option('--after-id <id>', 'only threads behind this one')
    .option('--before-id <id>', 'only threads before this one')
    .option('--limit <number>', 'at most so many threads, from 1 to 200 (default: 50)')
    .option('--all', 'all its threads')
    .addOption(
      new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'),
    )
    .action((id: string, flags: ShowFlags) =>
      withSource({ ...flags, output: 'json' }, (source) => show(source, id, flags)),
    )
}

async function show(source: Source, id: string, flags: ShowFlags): Promise<void> {
  const { all = false, initiator, afterId, beforeId, output } = flags
  if (afterId !== undefined && beforeId !== undefined)
    throw new SluiceError('--after-id and --before-id: only one of them may be given', {
      code: 'ERR_CURSOR',
    })
  const limit = all ? 200 : limitOf(flags.limit, 50, 200)
  const query = {
    id,
    limit,
    ...(initiator !== undefined && { initiator: initiator === 'me' ? source.me : initiator }),
    ...(afterId !== undefined && { after: afterId }),
    ...(beforeId !== undefined && { before: beforeId }),
  }
  const session = await source.session(query)
  if (!session)
    throw new SluiceError(`there is no session "${id}" to see`, { code: 'ERR_NOT_FOUND' })
  // Those before a thread are one page: there is no going on behind it.
  const threads = threadsOf(source, query, session, all && beforeId === undefined)
  if (output === 'json') {
    const list: Told[] = []
    for await (const thread of threads) list.push(thread)
    return writeOut([forTerminal(`${JSON.stringify({ ...session, threads: list }, null, 2)}\n`)])
  }
  let last: Told | undefined
  let told = 0
  async function* text(): AsyncGenerator<string, void> {
    yield sessionHead(session as Told)
    for await (const thread of threads) {
      yield threadText(thread)
      last = thread
      told++
    }
  }
  await writeOut(text())
  if (!all && told === limit && beforeId === undefined)
    process.stderr.write(`There may be more: --after-id ${last?.id}, or --all\n`)
}

/** Those of the page that is there, and with `all` those behind it. */
function threadsOf(
  source: Source,
  query: SessionDetailQuery & { readonly limit: number },
  first: Told,
  all: boolean,
): AsyncGenerator<Told, void> {
  let page: Told | null = first
  return pagesOf<typeof query, Told>(query, all, async (next) => {
    const { threads = [] } = page ?? (await source.session(next)) ?? {}
    page = null
    return threads
  })
}
