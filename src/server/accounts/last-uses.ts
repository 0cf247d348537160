import type { TokenUse } from './account-store.ts'

const minute = 60_000

/** Tells the store which tokens were used: of each at most once a minute, of all together, and nobody waits for it. */
export class LastUses {
  readonly #write: (uses: readonly TokenUse[]) => Promise<void>
  readonly #told = new Map<string, number>()
  readonly #waiting = new Map<string, number>()
  readonly #delay: number
  #timer: NodeJS.Timeout | undefined

  constructor(write: (uses: readonly TokenUse[]) => Promise<void>, delay = 1000) {
    this.#write = write
    this.#delay = delay
  }

  note(id: string, at: number = Date.now()): void {
    if (at - (this.#told.get(id) ?? 0) < minute) return
    if (this.#told.size > 20_000) this.#told.clear()
    this.#told.set(id, at)
    this.#waiting.set(id, at)
    this.#timer ??= setTimeout(() => void this.flush(), this.#delay).unref()
  }

  /** Rejects never: a use that can't be told is no reason to refuse one. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const uses = [...this.#waiting].map(([id, at]) => ({ id, at }))
    this.#waiting.clear()
    if (uses.length > 0) await this.#write(uses).catch(() => {})
  }
}
