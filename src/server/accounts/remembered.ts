import { SluiceError } from '../../core/errors.ts'
import { forgetOldest } from '../../core/forget-oldest.ts'
import { within } from '../../core/within.ts'

export interface RememberedOptions {
  /** Looks afresh; null where there is nothing, and that is not remembered. */
  readonly load: (key: string) => Promise<NonNullable<unknown> | null>
  /** From this age on it is looked at afresh, while the remembered still serves. @default 15 s */
  readonly freshMs?: number
  /** From this age on the fresh look is waited for. @default 30 s */
  readonly staleMs?: number
  /** How long it serves while no fresh look succeeds. @default 10 min */
  readonly graceMs?: number
  /** How long a look may take. @default 2 s */
  readonly patienceMs?: number
  readonly max?: number
  readonly now?: () => number
}

interface Entry<Value> {
  readonly value: Value
  readonly at: number
  readonly generation: number
}

/** What a store said, so that no request waits for it each time, nor fails at once when it is away. */
export class Remembered<Value extends NonNullable<unknown>> {
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #looking = new Map<string, Promise<Value | null>>()
  readonly #options: Required<RememberedOptions>
  #generation = 0
  #awayUntil = 0

  constructor({
    load,
    freshMs = 15_000,
    staleMs = 30_000,
    graceMs = 600_000,
    patienceMs = 2000,
    max = 10_000,
    now = () => performance.now(),
  }: RememberedOptions) {
    this.#options = { load, freshMs, staleMs, graceMs, patienceMs, max, now }
  }

  /** At once where it is fresh enough. Rejects where the store is away and nothing is remembered that may serve. */
  get(key: string): Value | Promise<Value | null> {
    const { freshMs, staleMs, graceMs, now } = this.#options
    const entry = this.#entries.get(key)
    if (!entry || entry.generation !== this.#generation) return this.#look(key)
    const age = now() - entry.at
    if (age < freshMs) return entry.value
    const look = this.#look(key)
    const away = now() < this.#awayUntil && age < graceMs
    if (age >= staleMs && !away)
      return look.catch((error) => {
        if (age < graceMs) return entry.value
        throw error
      })
    look.catch(() => {})
    return entry.value
  }

  /** Whether it was there when it was looked at last, also where that was before a change. */
  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** After a change: everything is looked at afresh, and nothing from before it serves. */
  forget(): void {
    this.#generation++
    this.#looking.clear()
  }

  #look(key: string): Promise<Value | null> {
    const running = this.#looking.get(key)
    if (running !== undefined) return running
    const look = this.#load(key, this.#generation).finally(() => {
      if (this.#looking.get(key) === look) this.#looking.delete(key)
    })
    this.#looking.set(key, look)
    return look
  }

  async #load(key: string, generation: number): Promise<Value | null> {
    const { load, patienceMs, max, now } = this.#options
    try {
      const answer = load(key) as Promise<Value | null>
      if (!(await within(answer, patienceMs))) throw tooSlow()
      const value = await answer
      this.#awayUntil = 0
      // What was asked for before a change may be what was before it.
      if (generation !== this.#generation) return value
      this.#entries.delete(key)
      if (value !== null) this.#entries.set(key, { value, at: now(), generation })
      forgetOldest(this.#entries, max)
      return value
    } catch (error) {
      this.#awayUntil = now() + 5000
      throw error
    }
  }
}

function tooSlow(): SluiceError {
  return new SluiceError('the store of users takes too long', { code: 'ERR_STORE_AWAY' })
}
