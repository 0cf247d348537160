import { Command, Option } from 'commander'
import type { Diagnostics } from '../core/diagnostics.ts'
import { banner } from '../server/banner.ts'
import { readConfig } from '../server/config.ts'
import { demoMode } from '../server/demo-mode.ts'
import { createLogger, type Logger } from '../server/logger.ts'
import { watchProcessFaults } from '../server/process-faults.ts'
import { type Running, serve } from '../server/serve.ts'
import { serveLog } from '../server/serve-log.ts'
import { settingNames } from '../server/settings.ts'
import { storeName } from '../server/store.ts'
import { structuredLog } from '../server/structured-log.ts'
import { addSettingOptions } from './setting-options.ts'
import { stopOnSignals } from './stop-on-signals.ts'

/** `sluice serve`: the gateway, until a signal. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('run the gateway')
    .option('--demo', 'with a simulated provider, sample traffic and a store of its own')
    .addOption(new Option('--config <file>', 'configuration file (or SLUICE_CONFIG)'))
    .addHelpText('after', notes)
    .action((flags: Readonly<Record<string, unknown>>, { args }: Command) => run(flags, args))
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

async function run(
  flags: Readonly<Record<string, unknown>>,
  unknown: readonly string[],
): Promise<void> {
  const settings = readConfig({ flags, unknown })
  let diagnostics: Diagnostics | undefined
  const onDrop = (reason: string) => diagnostics?.count('log_lines_dropped', { reason })
  const { logFormat: format, logLevel: level } = settings
  const logger = createLogger({ format, level, onDrop })
  const plugins = [
    serveLog({ log: logger.log, format }),
    ...structuredLog(settings, logger.writer, onDrop),
  ]
  const demo = settings.demo ? await demoMode(settings, logger.log) : undefined
  const config = demo?.config ?? settings
  const running = await serve(config, { log: logger.log, plugins, beforeOpen: demo?.beforeOpen })
  diagnostics = running.gateway.diagnostics
  watchProcessFaults(diagnostics)
  stopOnSignals(logger, async () => {
    await Promise.all([running.stop(), demo?.stop()])
  })
  announce(running, logger)
  demo?.start(running.url)
}

function announce({ url, config }: Running, { log, say }: Logger): void {
  const { providers, demo } = config
  const store = storeName(config.store)
  say(banner({ url, providers, store, demo }))
  log('debug', 'ready', { url, store, providers: providers.map(({ name }) => name) })
  process.stdout.write(`sluice listening on ${url}\n`)
}
