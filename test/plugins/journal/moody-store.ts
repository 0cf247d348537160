import { setTimeout as pause } from 'node:timers/promises'
import { SluiceError } from '../../../src/core/errors.ts'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import type { Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'

/** A store in memory that can be away, hang, or refuse records, and tells what it was given. */
export interface MoodyStore extends Store {
  mood: 'up' | 'away' | 'hangs'
  refuses: (record: InterceptionRecord) => boolean
  /** How long it takes for a record, in ms; what it does is broken off when it is closed. */
  pace: number
  /** How many records each batch had that it was given. */
  readonly batches: number[]
  /** Every record that it took, in order, also those taken twice. */
  readonly taken: InterceptionRecord[]
  /** How often it was asked to open or to record. */
  readonly calls: { open: number; record: number; close: number }
  /** Resolves when what it has satisfies. */
  until(satisfied: () => boolean): Promise<void>
}

export function moodyStore(): MoodyStore {
  const memory = memoryRecorder()
  const watchers = new Set<() => void>()
  const obey = async () => {
    for (const watch of watchers) watch()
    if (store.mood === 'hangs') await new Promise(() => {})
    if (store.mood === 'away') throw new SluiceError('it is away', { code: 'ERR_STORE_AWAY' })
  }
  const store: MoodyStore = {
    ...memory,
    name: 'moody-store',
    mood: 'up',
    refuses: () => false,
    pace: 0,
    batches: [],
    taken: [],
    calls: { open: 0, record: 0, close: 0 },
    open: async () => {
      store.calls.open++
      await obey()
    },
    record: async (records) => {
      store.calls.record++
      store.batches.push(records.length)
      const closings = store.calls.close
      await obey()
      if (store.pace > 0) await pause(store.pace * records.length)
      if (store.calls.close > closings)
        throw new SluiceError('it was closed', { code: 'ERR_STORE_CLOSED' })
      // As a bulk write does: the others are in, whichever is refused.
      const good = records.filter((record) => !store.refuses(record))
      await memory.record(good)
      store.taken.push(...good)
      for (const watch of watchers) watch()
      if (good.length < records.length) throw new Error('a record is refused')
    },
    close: async () => {
      store.calls.close++
    },
    until: (satisfied) =>
      new Promise((resolve) => {
        const watch = () => {
          if (!satisfied()) return
          watchers.delete(watch)
          resolve()
        }
        watchers.add(watch)
        watch()
      }),
  }
  return store
}
