import { config } from 'rxjs'
import type { Diagnostics } from '../core/diagnostics.ts'

/** Turns errors that nothing caught into counted log lines. For a process of our own only, never in a host's. */
export function watchProcessFaults(diagnostics: Diagnostics): () => void {
  const take = (source: string) => (error: unknown) => {
    diagnostics.count('unhandled_errors', { source })
    diagnostics.log('error', 'an error was caught by nothing', { source, error })
  }
  const onRejection = take('promise')
  const earlier = config.onUnhandledError
  process.on('unhandledRejection', onRejection)
  config.onUnhandledError = take('rxjs')
  return () => {
    process.off('unhandledRejection', onRejection)
    config.onUnhandledError = earlier
  }
}
