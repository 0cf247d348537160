import { createInterface } from 'node:readline/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { SluiceError } from '../core/errors.ts'
import type { EraseReport } from '../core/store.ts'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { counted, tell } from './tell.ts'
import { readPastTime } from './times.ts'
import { type OpenStore, withStore } from './with-store.ts'

interface Flags extends StoreFlags {
  readonly initiator: string
  readonly before?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** `sluice erase`: nothing of a user stays in the store, whatever still comes. */
export function eraseCommand(): Command {
  return storeCommand({
    name: 'erase',
    description: 'forget all of one user, for good; also while a gateway runs',
    examples: [
      'sluice erase --initiator alice --dry-run',
      'sluice erase --initiator alice',
      'sluice erase --initiator alice --before 2026-01-01 --yes',
    ],
    settings: ['store', 'journal'],
  })
    .requiredOption('--initiator <name>', 'id or username', readName)
    .addOption(
      new Option('--before <time>', 'only what started until then (default: now)').argParser(
        readPastTime,
      ),
    )
    .option('--dry-run', 'only say what would go')
    .option('--yes', 'do not ask')
    .action((flags: Flags) => withStore(flags, (open) => erase(open, flags), { journal: true }))
}

async function erase({ store, name, journal }: OpenStore, flags: Flags): Promise<void> {
  const { initiator, before = new Date().toISOString(), dryRun = false, yes = false } = flags
  const query = { initiator, before }
  const found = await store.erase({ ...query, dryRun: true })
  if (dryRun) {
    tell(flags, { ...found, before, dryRun }, [
      `${whatOf(found, flags)} would be erased from ${name}`,
    ])
    return
  }
  if (!yes && !(await agreed(`${whatOf(found, flags)} will be erased from ${name}. Go on? [y/N] `)))
    throw new SluiceError('nothing was erased', { code: 'ERR_REFUSED' })
  const done = await store.erase(query)
  tell(flags, { ...done, before, dryRun }, [
    `${whatOf(done, flags)} were erased from ${name}; what still comes of them from before ${before} is refused`,
    ...(journal === undefined ? [] : [`so were those that wait in ${journal}`]),
    'what stays: log files, exports, backups of the store',
  ])
}

/** An empty one is a variable that was not set. */
function readName(text: string): string {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('It names nobody.')
}

function whatOf({ interceptions, initiatorIds }: EraseReport, { initiator }: Flags): string {
  const ids = initiatorIds.filter((id) => id !== initiator)
  const who = ids.length > 0 ? `${initiator} (${ids.join(', ')})` : initiator
  return `${counted(interceptions, 'interception')} of ${who}`
}

async function agreed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new SluiceError('erasing cannot be undone: add --yes where nobody can be asked', {
      code: 'ERR_REFUSED',
    })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim())
  } finally {
    terminal.close()
  }
}
