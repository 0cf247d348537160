import { type Command, Option } from 'commander'
import { annotationNames, annotationText } from '../core/annotations.ts'
import { SluiceError } from '../core/errors.ts'
import { type Outcome, outcomes } from '../core/events.ts'
import type { InterceptionFilter, StoreFilter } from '../core/recorder.ts'
import { readTime } from './times.ts'

/** What interceptions can be narrowed to, as flags gave it. */
export interface FilterFlags {
  readonly initiator?: string
  readonly provider?: string
  readonly providerName?: string
  readonly model?: string
  readonly client?: string
  readonly sessionId?: string
  readonly startedAfter?: string
  readonly startedBefore?: string
  readonly outcome?: Outcome
  readonly tool?: string
  readonly search?: string
  readonly repo?: string
  readonly branch?: string
  readonly issue?: string
  readonly running?: boolean
  readonly includeRunning?: boolean
}

/** What sessions and sums can be narrowed to, too. All that is given must hold. */
export function addNameFilters(command: Command): Command {
  return command
    .option('--initiator <user>', 'of one user: id, username or me')
    .option('--provider <type>', 'of a type of provider: anthropic, openai')
    .option('--provider-name <name>', 'of one provider')
    .option('--model <name>', 'of one model')
    .option('--client <name>', 'of one client, such as "Claude Code"')
    .addOption(
      new Option('--started-after <time>', 'that started then or later').argParser(readTime),
    )
    .addOption(
      new Option('--started-before <time>', 'that started then or earlier').argParser(readTime),
    )
}

/** What lists of interceptions can be narrowed to. All that is given must hold. */
export function addFilterOptions(
  command: Command,
  { running = true }: { readonly running?: boolean } = {},
): Command {
  addNameFilters(command)
    .option('--session-id <id>', 'of one session')
    .addOption(new Option('--outcome <outcome>', 'that ended so').choices(outcomes))
    .option('--tool <name>', 'that called this tool')
    .option('--search <words>', 'with all these words in prompts, tools or reasoning')
  for (const name of annotationNames)
    command.option(
      `--${name} <name>`,
      `whose X-Sluice-${name[0]?.toUpperCase()}${name.slice(1)} was this`,
    )
  if (!running) return command
  return command
    .option('--include-running', 'also those that have not ended')
    .addOption(new Option('--running', 'the same').hideHelp())
}

/** `user`: who `me` is. */
export function filterOf(flags: FilterFlags, user: string): InterceptionFilter {
  const { repo, branch, issue, initiator, includeRunning, ...rest } = flags
  const annotations = Object.fromEntries(
    Object.entries({ repo, branch, issue }).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, annotationOf(name, text)]],
    ),
  )
  const filter = Object.fromEntries(
    filterNames.flatMap((name) => (rest[name] === undefined ? [] : [[name, rest[name]]])),
  )
  return {
    ...filter,
    ...(includeRunning && { running: true }),
    ...(initiator !== undefined && { initiator: initiator === 'me' ? user : initiator }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
}

/** Throws where a flag has a fault: that is told before anything is opened. */
export function checkFilter(flags: FilterFlags): void {
  filterOf(flags, 'me')
}

/** The same for what knows names and times alone. */
export function nameFilterOf(flags: FilterFlags, user: string): StoreFilter {
  const { initiator, provider, providerName, model, client, startedAfter, startedBefore } = flags
  const named = { initiator, provider, providerName, model, client, startedAfter, startedBefore }
  const given = Object.entries(named).filter(([, value]) => value !== undefined)
  return filterOf(Object.fromEntries(given), user)
}

const filterNames = [
  'provider',
  'providerName',
  'model',
  'client',
  'sessionId',
  'startedAfter',
  'startedBefore',
  'outcome',
  'tool',
  'search',
  'running',
] as const

function annotationOf(name: string, text: string): string {
  const value = annotationText(text)
  // An empty variable of a script must not ask for everything.
  if (value === '')
    throw new SluiceError(`--${name}: must not be blank`, { code: 'ERR_ANNOTATION' })
  return value
}
