import { Command, Option } from 'commander'
import { settingNames } from '../server/settings.ts'
import { addSettingOptions } from './setting-options.ts'

/** `sluice serve`: the gateway, until a signal. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('run the gateway')
    .option('--demo', 'with a simulated provider, sample traffic and a store of its own')
    .addOption(new Option('--config <file>', 'configuration file (or SLUICE_CONFIG)'))
    .addHelpText('after', notes)
    .action(async (flags: Readonly<Record<string, unknown>>, { args }: Command) => {
      // Only now: other commands need not wait until all of the server is loaded.
      const { runServe } = await import('./run-serve.ts')
      await runServe(flags, args)
    })
  return addSettingOptions(command, settingNames)
}

const notes = `
Each flag is also a variable (--log-level: SLUICE_LOG_LEVEL) and a key of sluice.config.yaml or .json
(logLevel); a flag beats a variable beats the file. Keys and the store can be read from files
(SLUICE_ANTHROPIC_KEY_FILE). Durations: 250ms 30s 5m 2h. Sizes: 64KiB 32MiB. Switches: --x, --no-x.

Examples:
  sluice serve
  sluice serve --demo --port 0
  sluice serve --store mongodb://127.0.0.1/sluice --log-format json`
