import type { DatabaseSync } from 'node:sqlite'
import { contents } from './contents.ts'
import { type Derivation, derivation } from './derivation.ts'
import { type Limits, limits } from './limits.ts'
import { type Linker, linker } from './linker.ts'
import { batchSize, type RecordRows, rowWidth } from './record-rows.ts'
import { recordWriter } from './record-writer.ts'
import { sleep, transactions } from './transactions.ts'

/** All that changes the database after it was made goes through one. */
export interface StoreWriter {
  readonly database: DatabaseSync
  readonly derived: Derivation
  readonly linking: Linker
  readonly limits: Limits
  /** When it returns what the work has written is on disk, and what is derived of it. */
  readonly change: <Result>(work: () => Result) => Result
  /** Writes a batch; says how many records of it were refused. */
  readonly write: (rows: RecordRows) => number
  /** Takes the content out of an interception's records. */
  readonly empty: (id: string) => boolean
}

/** How long another process that waits to write is given after a full batch, in ms. */
const turn = 5

export function storeWriter(
  database: DatabaseSync,
  isAlone: () => boolean = () => false,
): StoreWriter {
  const derived = derivation(database)
  const bounds = limits(database)
  const linking = linker(database, () => bounds.any())
  const put = recordWriter(database, linking, derived)
  const emptyRecords = contents(database)
  const startOf = database.prepare('SELECT started_at FROM interceptions WHERE id = ?')
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

  function change<Result>(work: () => Result): Result {
    return transaction(() => {
      bounds.load(derived.forgetNames)
      const result = work()
      linking.link((id) => derived.touch(id))
      emptyLate()
      derived.settle()
      return result
    })
  }

  /** What comes late is stored like what was there. */
  function emptyLate(): void {
    const before = bounds.emptied()
    if (before === null) return
    for (const id of derived.touched()) {
      const at = startOf.get(id)?.started_at
      if (typeof at === 'number' && at < before) empty(id)
    }
  }

  return {
    database,
    derived,
    linking,
    limits: bounds,
    change,
    empty,
    write(rows) {
      // A writer that comes back at once would win the lock again and again: SQLite's lock has no queue.
      const early = fullAt + turn - performance.now()
      if (early > 0) sleep(early)
      const count = change(() => {
        const refused = bounds.refused(rows)
        put(rows, refused)
        return refused.size === 0 ? 0 : countOf(rows, refused)
      })
      if (rows.length >= batchSize * rowWidth && !isAlone()) fullAt = performance.now()
      return count
    },
  }
}

function countOf(rows: RecordRows, refused: ReadonlySet<string>): number {
  let count = 0
  for (let at = 0; at < rows.length; at += rowWidth) {
    if (refused.has(String(rows[at + 1]))) count++
  }
  return count
}
