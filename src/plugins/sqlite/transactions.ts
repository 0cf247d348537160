import type { DatabaseSync } from 'node:sqlite'
import { busyTimeout } from './open-database.ts'

export type Transaction = <Result>(work: () => Result) => Result

/** Runs work in a transaction that may write; `undo` is for what the work keeps beside the database. */
export function transactions(database: DatabaseSync, undo: () => void): Transaction {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  database.exec('PRAGMA busy_timeout = 0')
  return (work) => {
    whenFree(() => begin.run())
    try {
      const result = work()
      commit.run()
      return result
    } catch (error) {
      undo()
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
}

/**
 * Asks every millisecond for the lock that another process holds. SQLite's own wait falls back to asking
 * every 100 ms, and whoever waits longest then asks least.
 */
function whenFree(begin: () => void): void {
  const until = performance.now() + busyTimeout
  for (;;) {
    try {
      begin()
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      sleep(1)
    }
  }
}

/** https://sqlite.org/rescode.html#busy, or one of its extended codes, which carry it in the low byte. */
function isBusy(error: unknown): boolean {
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === 5
}

/** Blocks this thread, which has nothing else to do. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
