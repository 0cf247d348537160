import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import { annotationNames, annotationText } from '../core/annotations.ts'
import { SluiceError } from '../core/errors.ts'
import { interceptionShape } from '../server/api/interception-shape.ts'
import { readApiAddress, readConfig } from '../server/config.ts'
import { createStore, sqlitePath, storeName } from '../server/store.ts'
import type { ListQuery } from './interceptions-api.ts'
import { addSettingOptions } from './setting-options.ts'

/** `sluice interceptions …`: what is recorded, from a running gateway or from the store itself. */
export function interceptionsCommand(): Command {
  const list = new Command('list')
    .description('print recorded interceptions, the newest first, as a JSON array')
    .option('--initiator <user>', 'only those of one user: id, username or me')
    .option('--repo <name>', 'only those whose X-Sluice-Repo was this')
    .option('--branch <name>', 'only those whose X-Sluice-Branch was this')
    .option('--issue <name>', 'only those whose X-Sluice-Issue was this')
    .option('--limit <number>', 'at most so many, from 1 to 1000 (default: 100)')
    .option('--url <url>', 'ask the gateway there instead of opening the store (or SLUICE_URL)')
    .addOption(new Option('--config <file>', 'configuration file (or SLUICE_CONFIG)'))
    .addHelpText('after', examples)
    .action(async (flags: Readonly<Record<string, string>>, command: Command) => {
      const address = readApiAddress({ flags })
      const query = {
        limit: limitOf(flags.limit),
        initiator: flags.initiator,
        annotations: annotationsOf(flags),
      }
      // A URL needs no configuration, but flags that nobody knows are refused all the same.
      if (address.url && command.args.length > 0) readConfig({ unknown: command.args })
      const results = address.url
        ? await (await import('./interceptions-api.ts')).fromApi(address.url, address.token, query)
        : await fromStore(flags, command.args, query)
      process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
    })
  return new Command('interceptions')
    .description('look at what is recorded')
    .addCommand(addSettingOptions(list, ['store']))
}

const examples = `
Examples:
  sluice interceptions list --limit 5
  sluice interceptions list --initiator alice --url http://127.0.0.1:4141
  sluice interceptions list --repo parser --branch main --issue 42
  sluice interceptions list | jq '.[].model'`

function limitOf(text = '100'): number {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= 1000) return limit
  throw new SluiceError('limit value must be between 1 and 1000', { code: 'ERR_LIMIT' })
}

function annotationsOf(
  flags: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const annotations: Record<string, string> = {}
  for (const name of annotationNames) {
    const flag = flags[name]
    if (flag === undefined) continue
    const value = annotationText(flag)
    // An empty variable of a script must not list everything.
    if (value === '')
      throw new SluiceError(`--${name}: must not be blank`, { code: 'ERR_ANNOTATION' })
    annotations[name] = value
  }
  return annotations
}

async function fromStore(
  flags: Readonly<Record<string, string>>,
  unknown: readonly string[],
  { limit, initiator, annotations }: ListQuery,
): Promise<unknown> {
  const config = readConfig({ flags, unknown })
  if (config.store === 'memory:') throw notHere('the store is memory:, which only its gateway sees')
  const path = sqlitePath(config.store)
  if (path !== undefined && !existsSync(path))
    throw notHere(`there is no store at ${storeName(config.store)} yet`)
  const store = await createStore(config)
  try {
    await store.open()
    const who = initiator === 'me' ? config.user : initiator
    const page = await store.interceptions({
      limit,
      annotations,
      ...(who !== undefined && { initiator: who }),
    })
    return page.results.map(interceptionShape)
  } finally {
    await store.close()
  }
}

function notHere(fact: string): SluiceError {
  return new SluiceError(
    `${fact}: name another one with --store, or a running gateway with --url http://127.0.0.1:4141`,
    { code: 'ERR_NO_STORE' },
  )
}
