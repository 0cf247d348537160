import { Command, Option } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { withoutUrlCredentials } from '../core/secrets.ts'
import { type Inspection, inspectConfig } from '../server/config.ts'
import { printable } from '../server/printable.ts'
import { settingNames, settings } from '../server/settings.ts'
import { addSettingOptions } from './setting-options.ts'
import { tableText } from './table-text.ts'
import { counted } from './tell.ts'
import { writeOut } from './write-out.ts'

interface Flags extends Readonly<Record<string, unknown>> {
  readonly show?: boolean
  readonly output: 'text' | 'json'
}

/** `sluice config check`: what `serve` would say of its settings, without starting. */
export function configCommand(): Command {
  const check = new Command('check')
    .description('read the configuration as serve would, and name all its faults')
    .option('--show', 'also print each setting and where it comes from, secrets masked')
    .addOption(new Option('--config <file>', 'configuration file (or SLUICE_CONFIG)'))
    .addOption(new Option('--demo').hideHelp())
    .addOption(
      new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', examples)
    .action((flags: Flags, { args }: Command) => checkConfig(flags, args))
  return new Command('config')
    .description('look at the configuration')
    .addCommand(addSettingOptions(check, settingNames))
}

const examples = `
Examples:
  sluice config check
  sluice config check --config ./sluice.config.yaml --show
  SLUICE_PORT=http sluice config check`

async function checkConfig(flags: Flags, unknown: readonly string[]): Promise<void> {
  const { show = false, output, ...rest } = flags
  const found = inspectConfig({ flags: rest, unknown })
  const { faults, file, unknownVariables } = found
  if (output === 'json') {
    const shown = show ? { settings: effective(found), providers: providersOf(found) } : {}
    const report = { file: file ?? null, faults, unknown_variables: unknownVariables, ...shown }
    await writeOut([`${JSON.stringify(report, null, 2)}\n`])
  } else {
    if (show) await writeOut(showText(found))
    for (const name of unknownVariables)
      process.stderr.write(`sluice: ${printable(name)} is set, and nobody reads it\n`)
    if (faults.length === 0) await writeOut([`the configuration is fine (${file ?? 'no file'})\n`])
  }
  if (faults.length === 0) return
  const list = faults.map((fault) => `\n  ${fault}`).join('')
  throw new SluiceError(`the configuration has ${counted(faults.length, 'fault')}:${list}`, {
    code: 'ERR_CONFIG',
  })
}

interface Effective {
  readonly name: string
  /** Null where nothing is said and there is no default. */
  readonly value: string | null
  readonly from: string
}

function effective({ given }: Inspection): Effective[] {
  return settingNames.map((name) => {
    const { fallback = null, secret } = settings[name]
    const there = given.get(name)
    if (!there) return { name, value: fallback, from: 'default' }
    return { name, value: masked(name, there.text, secret), from: there.place }
  })
}

/** Of a store's URL the rest is told: it says which store it is. */
function masked(name: string, text: string, secret: boolean): string {
  if (!secret) return withoutUrlCredentials(text)
  return name === 'store' ? withoutUrlCredentials(text) : '(set)'
}

function providersOf({ config }: Inspection) {
  return config.providers.map(({ name, type, baseUrl, key }) => ({
    name,
    type,
    base_url: withoutUrlCredentials(baseUrl.href),
    key: key === undefined ? null : '(set)',
  }))
}

async function* showText(found: Inspection): AsyncGenerator<string, void> {
  yield* tableText(effective(found), [
    { name: 'setting', cell: ({ name }) => name },
    { name: 'value', cell: ({ value }) => value },
    { name: 'from', cell: ({ from }) => from },
  ])
  yield '\n'
  yield* tableText(providersOf(found), [
    { name: 'provider', cell: ({ name }) => name },
    { name: 'type', cell: ({ type }) => type },
    { name: 'base url', cell: ({ base_url }) => base_url },
    { name: 'key', cell: ({ key }) => key ?? 'of the clients' },
  ])
  const { clients, mcpServers, prices } = found.config
  const others = {
    'client rules': clients.length,
    'MCP servers': Object.keys(mcpServers).length,
    prices: Object.keys(prices).length,
  }
  yield `\n${Object.entries(others)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ')}\n\n`
}
