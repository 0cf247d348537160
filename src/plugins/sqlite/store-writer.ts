import type { DatabaseSync } from 'node:sqlite'
import type { DamagedRecord } from '../../core/recorder.ts'
import { contents } from './contents.ts'
import { type Derivation, derivation } from './derivation.ts'
import { type Limits, limits } from './limits.ts'
import { type Linker, linker } from './linker.ts'
import { batchSize, type RecordRows, rowWidth } from './record-rows.ts'
import { recordWriter } from './record-writer.ts'
import { type Salvage, salvage } from './salvage.ts'
import { sleep, transactions } from './transactions.ts'

/** All that changes the database after it was made goes through one. */
export interface StoreWriter {
  readonly database: DatabaseSync
  readonly derived: Derivation
  readonly linking: Linker
  /** Reads an interception whose records are damaged. */
  readonly salvaged: Salvage
  /** Which were, by interception, as far as they were read. */
  readonly damaged: Map<string, readonly DamagedRecord[]>
  readonly limits: Limits
  /** When it returns what the work has written is on disk, and what is derived of it. */
  readonly change: <Result>(work: () => Result) => Result
  /** Writes a batch; says how many records of it were refused. */
  readonly write: (rows: RecordRows) => number
  /** Takes the content out of an interception's records. */
  readonly empty: (id: string) => boolean
  /** Forgets an interception's records and what is derived of them. True where it had ended. */
  readonly remove: (id: string) => boolean
}

/** How many interceptions with damaged records are noted. */
const maxDamaged = 1000

/** How long another process that waits to write is given after a full batch, in ms. */
const turn = 5

export function storeWriter(
  database: DatabaseSync,
  isAlone: () => boolean = () => false,
): StoreWriter {
  const bounds = limits(database)
  const read = salvage(database)
  const damaged = new Map<string, readonly DamagedRecord[]>()
  const salvaged: Salvage = (id) => {
    const found = read(id)
    if (found.damaged.length > 0 && damaged.size < maxDamaged) damaged.set(id, found.damaged)
    return found
  }
  const derived = derivation(database, salvaged, () => bounds.emptied())
  const linking = linker(database, salvaged)
  const put = recordWriter(database, linking, derived)
  const emptyRecords = contents(database)
  const dropRecords = database.prepare('DELETE FROM records WHERE interception_id = ?')
  const dropInterception = database.prepare('DELETE FROM interceptions WHERE id = ?')
  const transaction = transactions(database, () => {
    linking.forget()
    derived.forget()
    bounds.forget()
  })
  let fullAt = Number.NEGATIVE_INFINITY

  function empty(id: string): boolean {
    derived.changed(id)
    derived.touch(id)
    return emptyRecords(id)
  }

  function remove(id: string): boolean {
    linking.drop(id)
    const hadEnded = derived.remove(id)
    dropRecords.run(id)
    dropInterception.run(id)
    return hadEnded
  }

  function change<Result>(work: () => Result): Result {
    return transaction(() => {
      bounds.load(derived.forgetNames)
      const result = work()
      linking.link((id) => derived.touch(id))
      derived.settle()
      return result
    })
  }

  return {
    database,
    derived,
    linking,
    salvaged,
    damaged,
    limits: bounds,
    change,
    empty,
    remove,
    write(rows) {
      // A writer that comes back at once would win the lock again and again: SQLite's lock has no queue.
      const early = fullAt + turn - performance.now()
      if (early > 0) sleep(early)
      const count = change(() => {
        const admitted = bounds.admit(rows)
        for (const id of bounds.orphaned()) remove(id)
        put(admitted)
        return (rows.length - admitted.length) / rowWidth
      })
      if (rows.length >= batchSize * rowWidth && !isAlone()) fullAt = performance.now()
      return count
    },
  }
}
