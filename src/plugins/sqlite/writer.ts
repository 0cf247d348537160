import { workerData } from 'node:worker_threads'
import { openDatabase, type StoreOptions } from './open-database.ts'
import { ProcessMark } from './process-mark.ts'
import { reap } from './reap.ts'
import { type Methods, serve } from './serve.ts'
import { storeWriter } from './store-writer.ts'

const options = workerData as StoreOptions
serve(options.path, () => open(options))

function open(options: StoreOptions): Methods {
  const database = openDatabase(options)
  const mark = new ProcessMark(options.path, options.processId)
  const store = storeWriter(database, () => mark.isAlone())
  const idle = setTimeout(truncateLog, 1000).unref()
  const reaper = setInterval(() => attempt(() => reap(store, mark)), 60_000).unref()
  reap(store, mark)

  // Whoever reads just now is not waited for: the next idle second will do.
  function truncateLog(): void {
    attempt(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
  }

  return {
    open: () => {},
    record: (rows: readonly (string | number)[]) => {
      idle.refresh()
      return store.write(rows)
    },
    reap: () => reap(store, mark),
    close: () => {
      clearTimeout(idle)
      clearInterval(reaper)
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
