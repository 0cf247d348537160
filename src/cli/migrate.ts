import type { Command } from 'commander'
import { messageOf, SluiceError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { type Config, readConfig } from '../server/config.ts'
import { isSameStore } from '../server/same-store.ts'
import { settings } from '../server/settings.ts'
import { createStore, storeName } from '../server/store.ts'
import { progress } from './progress.ts'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { counted, tell } from './tell.ts'
import { checkStore, commandContext } from './with-store.ts'

interface Flags extends Omit<StoreFlags, 'store'> {
  readonly from?: string
  readonly to: string
}

/** `sluice migrate`: from one store to another, of whatever kind. */
export function migrateCommand(): Command {
  return storeCommand({
    name: 'migrate',
    description: 'copy all interceptions into another store; run it again to go on or to catch up',
    examples: [
      'sluice migrate --to mongodb://127.0.0.1/sluice',
      'sluice migrate --from sqlite:./sluice-data/sluice.db --to mongodb://127.0.0.1/sluice',
      'sluice migrate --from mongodb://127.0.0.1/sluice --to sqlite:./copy.db',
    ],
    settings: [],
  })
    .option('--from <url>', 'the store to read (default: the configured one)')
    .requiredOption('--to <url>', 'the store to write into; an SQLite file is made if need be')
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const config = readConfig({ flags: { config: flags.config } })
  const from = flags.from === undefined ? config.store : storeUrl('--from', flags.from)
  const to = storeUrl('--to', flags.to)
  checkStore(from, false)
  checkStore(to, true)
  if (isSameStore(from, to)) {
    throw new SluiceError(
      `--from (${storeName(from)}) and --to (${storeName(to)}) are the same store: name another one with --to`,
      { code: 'ERR_SAME_STORE' },
    )
  }
  await opened(config, from, (source) =>
    opened(config, to, (target) => copy(source, target, { flags, name: storeName(to) })),
  )
}

function storeUrl(flag: string, text: string): string {
  const result = settings.store.schema.safeParse(text)
  if (result.success) return result.data
  throw new SluiceError(`${flag}: ${result.error.issues[0]?.message}`, { code: 'ERR_CONFIG' })
}

async function opened(
  config: Config,
  store: string,
  use: (store: Store) => Promise<void>,
): Promise<void> {
  const one = await createStore({ ...config, store })
  const context = commandContext()
  try {
    await one.open(context)
    await use(one)
  } finally {
    context.end()
    await one.close()
  }
}

async function copy(
  from: Store,
  to: Store,
  { flags, name }: { readonly flags: Flags; readonly name: string },
): Promise<void> {
  const { migrate } = await import('../server/migrate.ts')
  const total = process.stderr.isTTY
    ? (await from.interceptions({ running: true, limit: 1 })).count
    : undefined
  const line = progress('interceptions', total)
  let done = 0
  const report = await migrate({
    from,
    to,
    onProgress: (count) => {
      done = count
      line.tell(count)
    },
  })
    .catch((error: unknown) => {
      throw new SluiceError(
        `stopped after ${counted(done, 'interception')}: ${messageOf(error)}; run it again to go on`,
        { code: 'ERR_MIGRATE', cause: error },
      )
    })
    .finally(line.end)
  const { interceptions, copied, same, faults } = report
  tell(flags, report, [
    `${counted(interceptions, 'interception')}: ${copied.toLocaleString('en-US')} copied into ${name}, ${same.toLocaleString('en-US')} there already`,
    ...faults.map((fault) => `fault: ${fault}`),
  ])
  if (faults.length > 0) throw new SluiceError(`not all is in ${name}`, { code: 'ERR_MIGRATE' })
}
