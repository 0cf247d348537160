export interface Patience {
  readonly signal: AbortSignal
  /** In ms. */
  readonly timeout: number
}

/** What the promise gives, unless it takes too long or nobody waits any more. It keeps its own way: others may wait for it, too. */
export function unlessLate<T>(
  promise: Promise<T>,
  { signal, timeout }: Patience,
  /** Of that time. */
  left: number = timeout,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason)
    if (signal.aborted) return aborted()
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), left)
    signal.addEventListener('abort', aborted, { once: true })
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
    })
  })
}
