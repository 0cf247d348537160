import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { readConfig } from '../server/config.ts'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { counted, tell } from './tell.ts'
import { withStore } from './with-store.ts'

/** `sluice journal …`: what waits on this machine for a store on the network. */
export function journalCommand(): Command {
  const status = storeCommand({
    name: 'status',
    description: 'say what waits in the journal, and what the store refused',
    examples: ['sluice journal status', 'sluice journal status --journal ./sluice-data/journal'],
    settings: ['journal'],
  }).action(tellStatus)
  const retry = storeCommand({
    name: 'retry',
    description: 'offer the records that were set aside to the store once more',
    examples: ['sluice journal retry --store mongodb://127.0.0.1/sluice'],
    settings: ['store', 'journal'],
  }).action(retryLetters)
  return new Command('journal')
    .description('look after what waits for a mongodb:// store')
    .addCommand(status)
    .addCommand(retry)
}

async function tellStatus(flags: StoreFlags): Promise<void> {
  const { deadLetters } = await import('../plugins/journal.ts')
  const folder = folderOf(flags)
  const there = existsSync(folder)
  const files = there ? readdirSync(folder) : []
  const ending = (text: string) => files.filter((name) => name.endsWith(text))
  const letters = there ? await deadLetters(folder) : []
  const journals = ending('.journal')
  // SQLite's log lies beside its file until it is written back.
  const bytes = files
    .filter((name) => name.includes('.journal'))
    .reduce(
      (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    )
  const damaged = ending('.damaged').length
  const errors = [...new Set(letters.map(({ error }) => error))]
  tell(
    flags,
    { folder, files: journals.length, bytes, damaged, deadLetters: letters.length, errors },
    [
      there
        ? `${folder}: ${counted(journals.length, 'file')}, ${counted(bytes, 'byte')}`
        : `${folder}: there is no journal`,
      ...(damaged > 0 ? [`${counted(damaged, 'damaged file')} set aside`] : []),
      `${counted(letters.length, 'dead letter')}`,
      ...errors.map((error) => `  ${error}`),
    ],
  )
}

async function retryLetters(flags: StoreFlags): Promise<void> {
  const { retryDeadLetters } = await import('../plugins/journal.ts')
  const folder = folderOf(flags)
  if (!existsSync(folder))
    throw new SluiceError(`there is no journal in ${folder}`, { code: 'ERR_NO_JOURNAL' })
  const { stored, left } = await withStore(flags, ({ store }) => retryDeadLetters(folder, store))
  const errors = [...new Set(left.map(({ error }) => error))]
  tell(flags, { stored, left: left.length, errors }, [
    `${counted(stored, 'dead letter')} stored, ${left.length.toLocaleString('en-US')} left`,
    ...errors.map((error) => `  ${error}`),
  ])
  if (left.length > 0)
    throw new SluiceError(`${counted(left.length, 'record')} could not be stored`, {
      code: 'ERR_DEAD_LETTERS',
    })
}

function folderOf({ journal, config }: StoreFlags): string {
  return resolve(readConfig({ flags: { journal, config } }).journal)
}
