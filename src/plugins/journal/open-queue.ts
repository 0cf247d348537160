import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/** Opens and locks a journal's file. Null where somebody holds it, or it is gone; throws where it is damaged. */
export function openQueue(path: string, logPages: number): DatabaseSync | null {
  const url = pathToFileURL(path)
  // Never made here: a file that has just been removed would come back.
  url.searchParams.set('mode', 'rw')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(url, { timeout: 0 })
    // Exclusive before the first read: the log's index is in our memory then, and no third file needed.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    // It would be written each time; a full disk has no room for it.
    if (database.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum !== 2)
      database.exec('PRAGMA auto_vacuum = INCREMENTAL')
    database.exec('PRAGMA journal_mode = WAL')
    database.exec(`
      PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST; PRAGMA cache_size = -8000;
      PRAGMA wal_autocheckpoint = ${logPages}; PRAGMA journal_size_limit = ${logPages * 4096};
      BEGIN EXCLUSIVE;
      CREATE TABLE IF NOT EXISTS entries
        (position INTEGER PRIMARY KEY, essential INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
      COMMIT`)
    return database
  } catch (error) {
    database?.close()
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff
    if (code === 5 || !existsSync(path)) return null
    throw error
  }
}
