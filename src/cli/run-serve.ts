import { Diagnostics } from '../core/diagnostics.ts'
import { banner } from '../server/banner.ts'
import { type Config, readConfig } from '../server/config.ts'
import { type DemoMode, demoMode } from '../server/demo-mode.ts'
import { type LogTransports, openLogTransports } from '../server/log-transports/open-transports.ts'
import { createLogger, type Logger } from '../server/logger.ts'
import { isLoopback } from '../server/loopback.ts'
import { type LostLines, lostLines } from '../server/lost-lines.ts'
import { watchProcessFaults } from '../server/process-faults.ts'
import type { Reloadable } from '../server/reload.ts'
import { serve } from '../server/serve.ts'
import { serveLog } from '../server/serve-log.ts'
import { storeName } from '../server/store.ts'
import { structuredLog } from '../server/structured-log.ts'
import { reloadOnHangup } from './reload-on-hangup.ts'
import { stopOnSignals } from './stop-on-signals.ts'

/** Reads the settings, starts the gateway and says so; signals end it. */
export async function runServe(
  flags: Readonly<Record<string, unknown>>,
  unknown: readonly string[],
): Promise<void> {
  const read = () => readConfig({ flags, unknown })
  const settings = read()
  const { onDrop, attach } = lostLines()
  const { logFormat: format, logLevel: level } = settings
  const transports = openLogTransports(settings.logTransports, onDrop)
  const logger = createLogger({ format, level, onDrop, transports })
  const demo = settings.demo ? await demoMode(settings, logger.log) : undefined
  const adapted = (config: Config) => demo?.adapted(config) ?? config
  const run = { config: adapted(settings), logger, transports, onDrop, demo }
  const served = run.config.workers > 1 ? await serveWithWorkers(run) : await serveAlone(run)
  const { diagnostics } = served
  attach(diagnostics)
  reloadOnHangup({ read: () => adapted(read()), target: served, log: logger.log })
  watchProcessFaults(diagnostics)
  announce(served.url, run)
  demo?.start(served.url)
}

interface Run {
  readonly config: Config
  readonly logger: Logger
  readonly transports: LogTransports
  readonly onDrop: LostLines['onDrop']
  readonly demo: DemoMode | undefined
}

interface Served extends Reloadable {
  readonly url: string
  readonly diagnostics: Diagnostics
}

async function serveAlone({ config, logger, transports, onDrop, demo }: Run): Promise<Served> {
  const { log, writer } = logger
  const plugins = [
    serveLog({ log, format: config.logFormat }),
    ...structuredLog(config, { log: writer, transports, onDrop }),
  ]
  const running = await serve(config, { log, plugins, beforeOpen: demo?.beforeOpen })
  running.lead()
  stopOnSignals(logger, async () => {
    await Promise.all([running.stop(), demo?.stop()])
  })
  return {
    url: running.url,
    diagnostics: running.gateway.diagnostics,
    get config() {
      return running.config
    },
    reload: (changed) => {
      running.reload(changed)
      logger.setLevel(changed.logLevel)
    },
  }
}

async function serveWithWorkers({ config, logger, demo }: Run): Promise<Served> {
  const diagnostics = new Diagnostics(logger.log)
  const { Workers } = await import('../server/workers.ts')
  const workers = new Workers({ config, logger, diagnostics })
  // Before they are started: none may be left behind.
  stopOnSignals(
    logger,
    async () => {
      await Promise.all([workers.stop(), demo?.stop()])
    },
    () => workers.kill(),
  )
  const url = await workers.start()
  return {
    url,
    diagnostics,
    get config() {
      return workers.config
    },
    reload: (changed) => workers.reload(changed),
  }
}

function announce(url: string, { config, logger: { log, say } }: Run): void {
  const { providers, demo, auth } = config
  const store = storeName(config.store)
  say(banner({ url, providers, store, demo, auth }))
  if (
    auth !== 'none' &&
    !isLoopback(config.host) &&
    !config.tls &&
    config.trustedProxies.length === 0
  )
    log(
      'warn',
      'tokens and prompts can be read on their way: set tls-cert-file and tls-key-file, or trusted-proxies where a proxy takes https',
    )
  // The banner is for people: who reads JSON finds the URLs in this line.
  const urls = Object.fromEntries(providers.map(({ name }) => [name, `${url}/${name}`]))
  log(config.logFormat === 'json' ? 'info' : 'debug', 'ready', { url, store, providers: urls })
  process.stdout.write(`sluice listening on ${url}\n`)
}
