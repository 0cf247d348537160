import cluster from 'node:cluster'
import type { LogLevel } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import { processId } from '../core/process-id.ts'
import { openLogTransports } from './log-transports/open-transports.ts'
import { createLogger } from './logger.ts'
import { lostLines } from './lost-lines.ts'
import { shareOf, unpackConfig } from './packed-config.ts'
import { PrimaryLink } from './primary-link.ts'
import { watchProcessFaults } from './process-faults.ts'
import { type Running, serve } from './serve.ts'
import { serveLog } from './serve-log.ts'
import { emptyStore } from './store.ts'
import { structuredLog } from './structured-log.ts'
import type { PrimaryMessage } from './worker-messages.ts'

// The script of a worker process. What it writes to standard error goes through the primary.
const link = new PrimaryLink()
let served: Promise<Running | undefined> | undefined
let flush = async () => {}
let setLogLevel: (level: LogLevel) => void = () => {}
let ending = false

// A terminal's Ctrl-C and hang-up reach the whole group, and so may a supervisor's SIGTERM: the primary decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

link.onMessage = (message) => {
  if (message.type === 'serve') served ??= begin(message)
  else if (message.type === 'stop') void end()
  else void served?.then((running) => act(running, message))
}
cluster.worker?.on('disconnect', () => {
  // Node would exit at once. What runs here is whole without the primary, which takes no new connections any more.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
  void end()
})
link.send({ type: 'hello', processId })

/** Undefined where it could not be; the process ends then. */
async function begin({
  config: packed,
  first,
}: Extract<PrimaryMessage, { type: 'serve' }>): Promise<Running | undefined> {
  const config = shareOf(unpackConfig(packed))
  const { logFormat: format, logLevel: level } = config
  const { onDrop, attach } = lostLines()
  const transports = openLogTransports(config.logTransports, onDrop)
  const logger = createLogger({ format, level, onDrop, transports })
  flush = () => logger.flush()
  setLogLevel = (wanted) => logger.setLevel(wanted)
  try {
    const running = await serve(config, {
      log: logger.log,
      plugins: [
        serveLog({ log: logger.log, format }),
        ...structuredLog(config, { log: logger.writer, transports, onDrop }),
      ],
      beforeOpen: () => {
        if (first && config.ownDemoStore) emptyStore(config.store)
      },
      openFirst: !first,
      gatherMetrics: (own) => link.gatherMetrics(own),
    })
    const { diagnostics } = running.gateway
    attach(diagnostics)
    watchProcessFaults(diagnostics)
    link.pushMetrics(running.metrics)
    link.send({ type: 'ready', url: running.url })
    return running
  } catch (error) {
    link.send({ type: 'failed', message: messageOf(error) }, () => process.exit(1))
    return undefined
  }
}

async function end(): Promise<void> {
  if (ending) return
  ending = true
  let code = 0
  try {
    const running = await served
    await running?.stop()
  } catch (error) {
    process.stderr.write(`sluice: a worker could not be closed in order: ${messageOf(error)}\n`)
    code = 1
  }
  await flush()
  process.exit(code)
}

async function act(running: Running | undefined, message: PrimaryMessage): Promise<void> {
  if (!running) return
  if (message.type === 'lead') running.lead()
  else if (message.type === 'reload') reload(running, message)
  else if (message.type === 'reap') await reap(running, message.processIds)
}

function reload(
  running: Running,
  { config: packed }: Extract<PrimaryMessage, { type: 'reload' }>,
): void {
  const config = shareOf(unpackConfig(packed))
  try {
    running.reload(config)
    setLogLevel(config.logLevel)
  } catch (error) {
    const { diagnostics } = running.gateway
    diagnostics.log('error', `a worker goes on by the old configuration: ${messageOf(error)}`)
  }
}

async function reap({ recorder, gateway }: Running, processIds: readonly string[]): Promise<void> {
  try {
    await recorder.reap?.(processIds)
  } catch (error) {
    gateway.diagnostics.log(
      'warn',
      `what a dead worker left open is ended later: ${messageOf(error)}`,
    )
  }
}
