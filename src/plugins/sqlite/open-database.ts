import { chmodSync, closeSync, existsSync, openSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SluiceError } from '../../core/errors.ts'
import { makeFolder } from '../../core/make-folder.ts'
import { migrate } from './migrations.ts'

export interface StoreOptions {
  readonly path: string
  readonly synchronous: 'full' | 'normal'
  readonly processId: string
}

/** How long a statement waits for another process's lock, in ms. */
export const busyTimeout = 5000

/** Opens the database to write, and makes or upgrades it first where that is needed. */
export function openDatabase({ path, synchronous }: StoreOptions): DatabaseSync {
  if (path === '' || path === ':memory:') {
    throw new SluiceError('an SQLite store needs a file: to keep nothing use memoryRecorder()', {
      code: 'ERR_STORE_OPEN',
    })
  }
  checkKind(path)
  makePrivate(path)
  const database = new DatabaseSync(path, { timeout: busyTimeout })
  try {
    const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = WAL').get() ?? {}
    if (mode !== 'wal') {
      throw new SluiceError(
        `the store needs SQLite's write-ahead log, which does not work on ${dirname(path)}: name a file on a local disk`,
        { code: 'ERR_STORE_OPEN' },
      )
    }
    database.exec(`
      PRAGMA synchronous = ${synchronous === 'normal' ? 'NORMAL' : 'FULL'};
      PRAGMA journal_size_limit = ${16 * 1024 ** 2};
      PRAGMA wal_autocheckpoint = 4000;
      PRAGMA cache_size = -16000;
      PRAGMA temp_store = MEMORY;
      PRAGMA secure_delete = ON;
    `)
    migrate(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens the database to read, which a writer of this process holds open. */
export function openToRead({ path }: StoreOptions): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: busyTimeout })
  database.exec('PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY')
  return database
}

/** What is no file is left as it is: a device's rights are not ours to change. */
function checkKind(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false })
  if (!there || there.isFile()) return
  const message = there.isDirectory()
    ? `the store cannot be opened: ${path} is a folder: name a file in it, such as ${join(path, 'sluice.db')}`
    : `the store cannot be opened: ${path} is no ordinary file: name one in a folder that this user can write`
  throw new SluiceError(message, { code: 'ERR_STORE_OPEN' })
}

/** Folders that we make are 0700, and git passes them by; the file is 0600, and SQLite's two beside it follow. */
function makePrivate(path: string): void {
  const folder = dirname(resolve(path))
  const made = makeFolder(folder)
  if (made !== undefined) writeFileSync(join(made, '.gitignore'), '*\n', { mode: 0o600 })
  // Not opened if it exists: closing it here would drop the locks that this process has on it (POSIX).
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file)) chmodSync(file, 0o600)
  }
}
