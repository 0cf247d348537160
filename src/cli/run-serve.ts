import type { Diagnostics } from '../core/diagnostics.ts'
import { banner } from '../server/banner.ts'
import { readConfig } from '../server/config.ts'
import { demoMode } from '../server/demo-mode.ts'
import { createLogger, type Logger } from '../server/logger.ts'
import { watchProcessFaults } from '../server/process-faults.ts'
import { type Running, serve } from '../server/serve.ts'
import { serveLog } from '../server/serve-log.ts'
import { storeName } from '../server/store.ts'
import { structuredLog } from '../server/structured-log.ts'
import { stopOnSignals } from './stop-on-signals.ts'

/** Reads the settings, starts the gateway and says so; signals end it. */
export async function runServe(
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
