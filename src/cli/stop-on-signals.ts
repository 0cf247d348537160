import type { Logger } from '../server/logger.ts'

/** SIGTERM or SIGINT: a graceful end with exit code 0. A second one, a second later, ends at once. */
export function stopOnSignals(
  { log, flush }: Pick<Logger, 'log' | 'flush'>,
  stop: () => Promise<void>,
  /** Ends what would outlive this process. */
  kill: () => void = () => {},
): void {
  let first: number | undefined

  async function onSignal(signal: NodeJS.Signals): Promise<void> {
    if (first !== undefined) {
      // One Ctrl-C arrives twice under npm, a millisecond apart.
      if (performance.now() - first < 1000) return
      kill()
      process.exit(1)
    }
    first = performance.now()
    log('info', `${signal}: finishing what runs, then going`)
    let code = 0
    try {
      await stop()
    } catch (error) {
      log('error', 'the gateway could not be closed in order', { error })
      code = 1
    }
    await flush()
    process.exit(code)
  }

  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}
