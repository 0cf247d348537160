import type { Diagnostics } from '../core/diagnostics.ts'

export interface LostLines {
  /** `place`: where the line was to go, if not to standard error. */
  readonly onDrop: (reason: string, place?: string) => void
  /** Before, what is lost waits to be counted. */
  attach(diagnostics: Diagnostics): void
}

/** Each place and reason is told of once in this time: what is lost is counted, and the log may be what fails. */
const pauseMs = 60_000

/** Counts lines that could not be written, and says so in the log. */
export function lostLines(): LostLines {
  let diagnostics: Diagnostics | undefined
  const waiting = new Map<string, number>()
  const told = new Map<string, number>()

  function tell(reason: string, place: string): void {
    const key = `${place} ${reason}`
    const now = performance.now()
    if (now - (told.get(key) ?? Number.NEGATIVE_INFINITY) < pauseMs) return
    told.set(key, now)
    // Not amid the write that failed.
    setImmediate(() =>
      diagnostics?.log('warn', `lines of the log are lost: ${place} takes none`, { reason }),
    )
  }

  return {
    onDrop: (reason, place = 'standard error') => {
      if (diagnostics) diagnostics.count('log_lines_dropped', { reason })
      else waiting.set(reason, (waiting.get(reason) ?? 0) + 1)
      tell(reason, place)
    },
    attach: (own) => {
      diagnostics = own
      for (const [reason, lines] of waiting) own.count('log_lines_dropped', { reason }, lines)
      waiting.clear()
      // What was to be told before is told at the next line that is lost.
      told.clear()
    },
  }
}
