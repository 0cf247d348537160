import type { Diagnostics } from '../core/diagnostics.ts'
import { SluiceError } from '../core/errors.ts'
import { processId as ownProcessId } from '../core/process-id.ts'
import type { Store, VerifyReport } from '../core/store.ts'
import type { DamagedParts } from './sqlite/file-faults.ts'
import { encodeRecords } from './sqlite/record-rows.ts'
import type { Reindexed } from './sqlite/reindex.ts'
import { type Ask, storeAnswers } from './sqlite/store-answers.ts'
import { StoreWorker } from './sqlite/store-worker.ts'
import { reindexReport, toldDamage } from './sqlite/told-damage.ts'

export interface SqliteRecorderOptions {
  /** The database's file; it and its folder are made if need be, for nobody else to read. */
  readonly path: string
  /** `full` survives a power cut, `normal` a `kill -9`. @default 'full' */
  readonly synchronous?: 'full' | 'normal'
  /** Whose open interceptions are this process's own. @default the process's own id */
  readonly processId?: string
}

/**
 * Keeps records in one SQLite file, in worker threads: the thread that relays never opens the database.
 * `record` resolves when the batch is on disk. Several processes may use one file.
 */
export function sqliteRecorder({
  path,
  synchronous = 'full',
  processId = ownProcessId,
}: SqliteRecorderOptions): Store {
  // Chores of the writer end their slice where a batch is on its way.
  const waiting = new SharedArrayBuffer(4)
  const count = new Int32Array(waiting)
  const writer = new StoreWorker('writer', { path, synchronous, processId, waiting })
  const reader = new StoreWorker('reader', { path, synchronous, processId })
  let opening: Promise<void> | undefined
  let closed = false
  let diagnostics: Diagnostics | undefined
  const onDamaged = toldDamage(path, () => diagnostics)

  // The writer makes the file and its tables; the reader cannot.
  async function ready(): Promise<void> {
    if (closed) {
      throw new SluiceError(`the store ${path} is closed: open it first`, {
        code: 'ERR_STORE_CLOSED',
      })
    }
    opening ??= writer.call<void>('open')
    try {
      await opening
    } catch (error) {
      opening = undefined
      throw error
    }
  }

  // What reads all has a thread of its own, so that nobody waits for it.
  async function audited<Result>(method: 'verify' | 'damagedParts'): Promise<Result> {
    await ready()
    const auditor = new StoreWorker('reader', { path, synchronous, processId })
    try {
      return await auditor.call<Result>(method)
    } finally {
      await auditor.close()
    }
  }

  // The tables are there once the writer is ready.
  const ask: Ask = async (method, query) => {
    await ready()
    return reader.call(method, query)
  }

  return {
    name: 'sqlite-recorder',
    durable: true,
    provisional: true,
    record: async (records) => {
      await ready()
      const batches = encodeRecords(records)
      Atomics.add(count, 0, batches.length)
      const refused = await Promise.all(batches.map((rows) => writer.call<number>('record', rows)))
      const dropped = refused.reduce((sum, each) => sum + each, 0)
      if (dropped === 0) return
      const labels = { recorder: 'sqlite-recorder', reason: 'forgotten' }
      diagnostics?.count('records_dropped', labels, dropped)
    },
    ...storeAnswers(ask, onDamaged),
    prune: async (query) => {
      await ready()
      return writer.call('prune', query)
    },
    erase: async (query) => {
      await ready()
      return writer.call('erase', query)
    },
    erasures: (among = []) => ask('erasures', among),
    reindex: async () => {
      await ready()
      const broken = await audited<DamagedParts>('damagedParts')
      return reindexReport(await writer.call<Reindexed>('reindex', broken), onDamaged)
    },
    verify: () => audited<VerifyReport>('verify'),
    open: async (context) => {
      diagnostics = context?.diagnostics
      closed = false
      await ready()
    },
    close: async () => {
      closed = true
      opening = undefined
      await Promise.all([writer.close(), reader.close()])
    },
  }
}
