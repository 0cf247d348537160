/** Does something again and again, `ms` after it was done last, without keeping the process alive. */
export function every(ms: number, action: () => Promise<void>): { stop(): Promise<void> } {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer = next()

  function next(): NodeJS.Timeout {
    return setTimeout(() => {
      running = action().then(() => {
        if (!stopped) timer = next()
      })
    }, ms).unref()
  }

  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
