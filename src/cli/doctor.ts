import { Command, Option } from 'commander'
import { messageOf, SluiceError } from '../core/errors.ts'
import { inspectConfig } from '../server/config.ts'
import { printable } from '../server/printable.ts'
import { settingNames } from '../server/settings.ts'
import { journalFindings } from './doctor-journal.ts'
import { portFindings, providerFindings } from './doctor-network.ts'
import { diskFindings, folderFindings, storeFindings } from './doctor-store.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { addSettingOptions } from './setting-options.ts'
import { counted } from './tell.ts'
import { writeOut } from './write-out.ts'

interface Flags extends Readonly<Record<string, unknown>> {
  readonly output: 'text' | 'json'
}

/** `sluice doctor`: what keeps a gateway from working here, and how to mend it. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'check configuration, store, providers, clock and disk; ends with 1 where one fails',
    )
    .addOption(new Option('--config <file>', 'configuration file (or SLUICE_CONFIG)'))
    .addOption(
      new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', examples)
    .action((flags: Flags, { args }: Command) => doctor(flags, args))
  return addSettingOptions(command, settingNames)
}

const examples = `
Examples:
  sluice doctor
  sluice doctor --config ./sluice.config.yaml
  sluice doctor --output json | jq '.findings[] | select(.level != "ok")'`

async function doctor(flags: Flags, unknown: readonly string[]): Promise<void> {
  const { output, ...rest } = flags
  const found = inspectConfig({ flags: rest, unknown })
  const { config, faults, file, unknownVariables } = found
  const findings: Finding[] = [
    nodeFinding(),
    ...(faults.length === 0 ? [ok('configuration', `is fine (${file ?? 'no file'})`)] : []),
    ...faults.map((fault) => error('configuration', fault, 'mend it, then: sluice config check')),
    ...unknownVariables.map((name) =>
      warning(
        'configuration',
        `${name} is set, and nobody reads it`,
        'sluice serve --help names all settings; unset it, or mend its name',
      ),
    ),
  ]
  // One after the other: what the store says may be told by its folder already.
  for (const check of [
    folderFindings,
    diskFindings,
    storeFindings,
    journalFindings,
    providerFindings,
    portFindings,
  ])
    findings.push(...(await check(config).catch(unexpected)))
  const failed = findings.filter(({ level }) => level === 'error').length
  await writeOut(
    output === 'json'
      ? [`${JSON.stringify({ ok: failed === 0, findings }, null, 2)}\n`]
      : findings.map(textOf),
  )
  if (failed > 0)
    throw new SluiceError(`${counted(failed, 'check')} failed`, { code: 'ERR_DOCTOR' })
}

function nodeFinding(): Finding {
  const [major = 0] = process.versions.node.split('.').map(Number)
  const told = `Node.js ${process.versions.node}`
  return major >= 24 ? ok('node', told) : error('node', told, 'install Node.js 24 or newer')
}

function unexpected(cause: unknown): Finding[] {
  return [error('doctor', `a check failed itself: ${messageOf(cause)}`, 'report it as a bug')]
}

function textOf({ level, check, message, mend }: Finding): string {
  const line = `${level.padEnd(7)}  ${check.padEnd(13)}  ${printable(message)}\n`
  return mend === undefined ? line : `${line}${' '.repeat(24)}→ ${printable(mend)}\n`
}
