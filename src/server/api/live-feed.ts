import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../core/diagnostics.ts'
import type { Store } from '../../core/store.ts'
import { type LiveEvent, liveEvent } from './live-event.ts'

export interface LiveListener {
  onEvents(events: readonly LiveEvent[]): void
  /** Now and then, with the cursor of now, so that who sees little does not fall far behind. */
  onBeat(cursor: string): void
  /** What came after the last event is no longer stored. */
  onGap(cursor: string): void
  onClose(): void
}

export interface LiveFeedOptions {
  readonly store: Pick<Store, 'feed'>
  readonly log: Log
  /** Between two looks at the store, in ms. @default 250 */
  readonly pollEvery?: number
  /** @default 15000 */
  readonly beatEvery?: number
}

/**
 * What ends, as the store tells it, also what other processes recorded. One look at a time, however many listen, and
 * none while nobody does.
 */
export class LiveFeed {
  readonly #store: Pick<Store, 'feed'>
  readonly #log: Log
  readonly #pollEvery: number
  readonly #beatEvery: number
  readonly #listeners = new Set<LiveListener>()
  #begun: Promise<void> | undefined
  #cursor = ''
  #closed = false

  constructor({ store, log, pollEvery = 250, beatEvery = 15_000 }: LiveFeedOptions) {
    this.#store = store
    this.#log = log
    this.#pollEvery = pollEvery
    this.#beatEvery = beatEvery
  }

  /** All that ends after the cursor it resolves to goes to the listener. */
  async listen(listener: LiveListener): Promise<string> {
    if (this.#closed) throw new Error('the gateway is going down')
    this.#listeners.add(listener)
    try {
      this.#begun ??= this.#begin()
      await this.#begun
    } catch (error) {
      this.#listeners.delete(listener)
      throw error
    }
    return this.#cursor
  }

  leave(listener: LiveListener): void {
    this.#listeners.delete(listener)
  }

  /** Ends all streams; there are no more. */
  close(): void {
    this.#closed = true
    for (const listener of this.#listeners) listener.onClose()
    this.#listeners.clear()
  }

  async #begin(): Promise<void> {
    try {
      this.#cursor = (await this.#store.feed({})).cursor
    } catch (error) {
      this.#begun = undefined
      throw error
    }
    void this.#run()
  }

  async #run(): Promise<void> {
    let beat = performance.now()
    let isWell = true
    while (this.#listeners.size > 0) {
      let isMore = false
      try {
        isMore = await this.#look()
        isWell = true
      } catch (error) {
        if (isWell) this.#log('error', 'the live feed cannot read the store', { error })
        isWell = false
      }
      if (performance.now() - beat >= this.#beatEvery) {
        beat = performance.now()
        for (const listener of this.#listeners) listener.onBeat(this.#cursor)
      }
      if (!isMore) await sleep(this.#pollEvery, undefined, { ref: false })
    }
    this.#begun = undefined
  }

  /** Whether there is more at once. */
  async #look(): Promise<boolean> {
    const { results, cursor, gap } = await this.#store.feed({ after: this.#cursor, limit: batch })
    this.#cursor = cursor
    const events = results.map((each) => liveEvent(each.cursor, each.interception))
    for (const listener of this.#listeners) {
      if (gap) listener.onGap(cursor)
      if (events.length > 0) listener.onEvents(events)
    }
    return results.length === batch
  }
}

const batch = 100
