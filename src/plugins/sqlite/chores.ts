import { setTimeout as pause } from 'node:timers/promises'
import { lease } from './lease.ts'
import type { StoreWriter } from './store-writer.ts'

/**
 * Long work on the store, in slices: between two of them batches that have come are written, and other processes
 * get their turn. One chore at a time, also among processes.
 */
export interface Chores {
  /** Waits for another one's chore to end, or gives null at once where one is busy and `wait` is false. */
  run<Result>(
    options: { readonly wait: boolean },
    chore: (slices: Slices) => Promise<Result>,
  ): Promise<Result | null>
  isBusy(): boolean
  /** Ends the chore that runs after its slice. */
  close(): Promise<void>
}

export interface Slices {
  /** Does step after step, each in a transaction with others, until one says that nothing is left, or the time is up. */
  each(step: () => boolean, until?: number): Promise<boolean>
  /** One piece of work that can't be cut, in a transaction of its own. */
  one<Result>(work: () => Result): Promise<Result>
  /** Between transactions: what SQLite does by itself. */
  outside<Result>(work: () => Result): Promise<Result>
}

/** How long the steps of a transaction may take, in ms; what is derived and the commit come on top. */
const slice = 8
/** How long batches and other processes are left the lock in between, in ms. */
const gap = 5

export function chores(
  store: StoreWriter,
  owner: string,
  isAwaited: () => boolean = () => false,
): Chores {
  const held = lease(store.database, owner)
  const mode = store.database.prepare('PRAGMA synchronous')
  let closed = false
  let last: Promise<unknown> = Promise.resolve()
  let running = 0

  const slices: Slices = {
    async each(step, until = Number.POSITIVE_INFINITY) {
      for (;;) {
        if (closed) return false
        const more = transaction(() => {
          const end = Math.min(performance.now() + slice, until)
          do {
            if (!step()) return false
            // A batch that has come in the meantime waits for this step and the commit alone.
          } while (performance.now() < end && !isAwaited())
          return true
        })
        await pause(gap)
        if (!more) return true
        // However little time there was, something was done.
        if (performance.now() > until) return false
      }
    },
    async one(work) {
      const result = transaction(work)
      await pause(gap)
      return result
    },
    async outside(work) {
      const result = work()
      await pause(gap)
      return result
    },
  }

  function transaction<Result>(work: () => Result): Result {
    // What a power cut takes back is done again: only its order must hold, and that the log keeps.
    const { synchronous } = mode.get() ?? {}
    store.database.exec('PRAGMA synchronous = NORMAL')
    try {
      return store.change(() => {
        held.renew()
        return work()
      })
    } finally {
      store.database.exec(`PRAGMA synchronous = ${synchronous}`)
    }
  }

  async function acquire(wait: boolean): Promise<boolean> {
    for (;;) {
      if (store.change(() => held.take())) return true
      if (!wait || closed) return false
      await pause(100)
    }
  }

  return {
    async run({ wait }, chore) {
      if (running > 0 && !wait) return null
      running++
      const before = last
      const done = (async () => {
        await before.catch(() => {})
        if (!(await acquire(wait))) return null
        try {
          return await chore(slices)
        } finally {
          store.change(() => held.release())
        }
      })()
      last = done
      try {
        return await done
      } finally {
        running--
      }
    },
    isBusy: () => running > 0,
    async close() {
      closed = true
      await last.catch(() => {})
    },
  }
}
