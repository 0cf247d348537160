import { chmodSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Store } from '../core/store.ts'

export interface StoreOptions {
  /** `sqlite:FILE`, `mongodb://…` or `memory:`. */
  readonly store: string
  readonly sqliteSynchronous: 'full' | 'normal'
}

/** The recorder that a store's URL names. Drivers load only when they are asked for. */
export async function createStore({ store, sqliteSynchronous }: StoreOptions): Promise<Store> {
  if (store === 'memory:') {
    const { memoryRecorder } = await import('../plugins/memory-recorder.ts')
    return memoryRecorder()
  }
  const path = sqlitePath(store)
  if (path === undefined) {
    const { mongoRecorder } = await import('../plugins/mongo-recorder.ts')
    return mongoRecorder({ url: store })
  }
  closeFolder(dirname(path))
  const { sqliteRecorder } = await import('../plugins/sqlite-recorder.ts')
  return sqliteRecorder({ path, synchronous: sqliteSynchronous })
}

export interface RecorderOptions extends StoreOptions {
  /** The journal's folder. */
  readonly journal: string
  readonly journalMax: number
}

/** The store to record into: one that is not on this machine's disk stands behind a journal that is. */
export async function createRecorder({
  journal,
  journalMax,
  ...options
}: RecorderOptions): Promise<Store> {
  const recorder = await createStore(options)
  if (!options.store.startsWith('mongodb')) return recorder
  const { journaled } = await import('../plugins/journal.ts')
  const dir = resolve(journal)
  closeFolder(dirname(dir))
  return journaled(recorder, { dir, maxBytes: journalMax })
}

/** The absolute path of an SQLite store's file; undefined for other stores. */
export function sqlitePath(store: string): string | undefined {
  return store.startsWith('sqlite:') ? resolve(store.slice('sqlite:'.length)) : undefined
}

/** A store's name for people: without the credentials that a URL may hold. */
export function storeName(store: string): string {
  const url = store.startsWith('mongodb') ? URL.parse(store) : null
  return url ? `${url.protocol}//${url.host}${url.pathname}` : store.replace(/^sqlite:/, '')
}

/** Forgets what an SQLite store holds. */
export function emptyStore(store: string): void {
  const path = sqlitePath(store)
  if (path === undefined) return
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

/** Everything in our own folder is its owner's alone, also where somebody made it before us. */
function closeFolder(folder: string): void {
  if (basename(folder) !== 'sluice-data') return
  // A file of that name is told of when the store is opened.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) chmodSync(folder, 0o700)
}
