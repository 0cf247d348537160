import { setTimeout as pause } from 'node:timers/promises'

/** Work that each call asks for: one run at a time, some ms apart; calls that come meanwhile are one. Never throws. */
export function oneAtATime(work: () => Promise<void>, gapMs: number): () => void {
  let asked = false
  let running = false
  let nextAt = 0
  const run = async () => {
    running = true
    while (asked) {
      const wait = nextAt - performance.now()
      if (wait > 0) await pause(wait, undefined, { ref: false })
      asked = false
      await work().catch(() => {})
      nextAt = performance.now() + gapMs
    }
    running = false
  }
  return () => {
    asked = true
    if (!running) void run()
  }
}
