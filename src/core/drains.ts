export interface DrainLimits {
  /** @default 60 s */
  readonly maxTime?: number
  /** @default 16 MiB */
  readonly maxBytes?: number
  /** At once. @default 32 */
  readonly maxCount?: number
}

/** Upstream replies that are read to their end for the record after the client has left: bounded in all. */
export class Drains {
  readonly #limits: Required<DrainLimits>
  readonly #running = new Set<() => void>()
  #stopped = false

  constructor({ maxTime = 60_000, maxBytes = 16 * 1024 * 1024, maxCount = 32 }: DrainLimits = {}) {
    this.#limits = { maxTime, maxBytes, maxCount }
  }

  /** Null where as many drains as may be are running, or none may begin; `over` is called when this one must stop. */
  start(over: () => void): { count(bytes: number): boolean; stop(): void } | null {
    const { maxTime, maxBytes, maxCount } = this.#limits
    if (this.#stopped || this.#running.size >= maxCount) return null
    let left = maxBytes
    const timer = setTimeout(over, maxTime)
    this.#running.add(over)
    return {
      count: (bytes) => {
        left -= bytes
        return left >= 0
      },
      stop: () => {
        clearTimeout(timer)
        this.#running.delete(over)
      },
    }
  }

  /** Ends all that run, and begins no more: shutdown. */
  stop(): void {
    this.#stopped = true
    for (const over of this.#running) over()
  }
}
