import { randomUUID } from 'node:crypto'
import { workerData } from 'node:worker_threads'
import type { EraseQuery, PruneQuery } from '../../core/store.ts'
import { backfill } from './backfill.ts'
import { chores } from './chores.ts'
import { erase } from './erase.ts'
import type { DamagedParts } from './file-faults.ts'
import { openDatabase, type StoreOptions } from './open-database.ts'
import { ProcessMark } from './process-mark.ts'
import { prune } from './prune.ts'
import { reap } from './reap.ts'
import { reindex } from './reindex.ts'
import { type Methods, serve } from './serve.ts'
import { storeWriter } from './store-writer.ts'

const options = workerData as WriterOptions
serve(options.path, () => open(options))

interface WriterOptions extends StoreOptions {
  /** How many batches are on their way. */
  readonly waiting: SharedArrayBuffer
}

function open(options: WriterOptions): Methods {
  const waiting = new Int32Array(options.waiting)
  Atomics.store(waiting, 0, 0)
  const database = openDatabase(options)
  const mark = new ProcessMark(options.path, options.processId)
  const store = storeWriter(database, () => mark.isAlone())
  const owner = `${options.processId} ${randomUUID()}`
  const work = chores(store, owner, () => Atomics.load(waiting, 0) > 0)
  let closed = false
  const idle = setTimeout(truncateLog, 1000).unref()
  const reaper = setInterval(() => attempt(() => reap(store, mark)), 60_000).unref()
  reap(store, mark)
  const filled = backfill(
    store,
    owner,
    () => closed,
    () => work.isBusy(),
  ).catch(() => {})

  // Whoever reads just now is not waited for: the next idle second will do.
  function truncateLog(): void {
    attempt(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
  }

  return {
    open: () => {},
    record: (rows: readonly (string | number)[]) => {
      Atomics.sub(waiting, 0, 1)
      idle.refresh()
      return store.write(rows)
    },
    prune: async (query: PruneQuery) =>
      (await work.run({ wait: false }, (slices) => prune(store, slices, query))) ?? {
        interceptions: 0,
        contents: 0,
        done: false,
        busy: true,
      },
    erase: (query: EraseQuery) => work.run({ wait: true }, (slices) => erase(store, slices, query)),
    reindex: (broken: DamagedParts) =>
      work.run({ wait: true }, (slices) => reindex(store, slices, broken)),
    close: async () => {
      closed = true
      clearTimeout(idle)
      clearInterval(reaper)
      await Promise.all([work.close(), filled])
      truncateLog()
      mark.release()
      database.close()
    },
  }
}

/** For chores: what ails the store shows in the next batch, and the chore comes round again. */
function attempt(chore: () => void): void {
  try {
    chore()
  } catch {}
}
