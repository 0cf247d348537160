import { setImmediate as turn } from 'node:timers/promises'
import { SluiceError } from '../core/errors.ts'
import type { Links } from '../core/links.ts'
import { processId as ownProcessId } from '../core/process-id.ts'
import type { Recorder, StoredInterception } from '../core/recorder.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { storedInterception } from '../core/stored-interception.ts'
import { encodeRecords } from './sqlite/record-rows.ts'
import { StoreWorker } from './sqlite/store-worker.ts'

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
}: SqliteRecorderOptions): Recorder {
  const writer = new StoreWorker('writer', { path, synchronous, processId })
  const reader = new StoreWorker('reader', { path, synchronous, processId })
  let opening: Promise<void> | undefined
  let closed = false

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

  return {
    name: 'sqlite-recorder',
    durable: true,
    provisional: true,
    record: async (records) => {
      await ready()
      const batches = encodeRecords(records)
      await Promise.all(batches.map((rows) => writer.call<void>('record', rows)))
    },
    interceptions: async ({
      limit = 100,
      offset = 0,
      initiator,
      annotations = {},
      running = false,
    } = {}) => {
      await ready()
      const { count, results } = await reader.call<{ count: number; results: string[] }>('page', {
        limit,
        offset,
        initiator,
        annotations,
        running,
      })
      return { count, results: await assembled(results) }
    },
    interception: async (id) => {
      await ready()
      const [result = null] = await assembled(await reader.call<string[]>('one', id))
      return result
    },
    open: async () => {
      closed = false
      await ready()
    },
    // Who is dead shows in the locks.
    reap: async () => {
      await ready()
      await writer.call<void>('reap')
    },
    close: async () => {
      closed = true
      opening = undefined
      await Promise.all([writer.close(), reader.close()])
    },
  }
}

interface Found {
  readonly records: readonly InterceptionRecord[]
  /** By what is stored now, which may be more than its process knew. */
  readonly links: Links | null
}

/** A page may be megabytes of JSON: streams are given a turn in between. */
async function assembled(results: readonly string[]): Promise<StoredInterception[]> {
  const interceptions: StoredInterception[] = []
  for (const [index, text] of results.entries()) {
    if (index % 50 === 49) await turn()
    const { records, links } = JSON.parse(text) as Found
    const stored = storedInterception(records)
    if (stored) interceptions.push({ ...stored, start: { ...stored.start, ...links } })
  }
  return interceptions
}
