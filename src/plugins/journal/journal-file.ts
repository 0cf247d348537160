import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { dropContent } from '../../core/record-content.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { isDamaged } from './disk-fault.ts'
import { openQueue } from './open-queue.ts'
import { readRecord } from './read-record.ts'
import { salvage } from './salvage.ts'

/** A record as JSON text, and whether it is one that is never given up. */
export type JournalRow = readonly [essential: 0 | 1, body: string]

/** What is to be stored next; `upTo` names the last of it. */
export interface JournalBatch {
  readonly upTo: number
  readonly bodies: readonly string[]
}

/** A batch has few records that together take more bytes. */
const batchBytes = 4 * 1024 ** 2
/** How many rows are stripped or dropped in one transaction. */
const chunk = 50

/**
 * One file of the journal: a queue on disk. SQLite's exclusive lock is on it as long as it is open, so that its
 * owner is known to live; the system takes the lock back however the owner dies.
 */
export class JournalFile {
  readonly path: string
  /** Of this time of being open: positions count from the beginning in a file that is made anew. */
  readonly id: string = randomUUID()
  /** Found so when it was opened. */
  readonly isDamaged: boolean
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #remove: StatementSync
  #last: number
  #shipped = 0
  #trimmed = 0
  #bareTo = 0
  #waiting: number
  #logBytes = 0

  private constructor(path: string, database: DatabaseSync) {
    this.path = path
    this.#database = database
    this.#insert = database.prepare('INSERT INTO entries VALUES (?, ?, ?)')
    this.#remove = database.prepare('DELETE FROM entries WHERE position <= ?')
    const { last, n } = extent(database)
    this.isDamaged = Number.isNaN(last)
    this.#last = last
    this.#waiting = n
  }

  /** Makes the file where it is not there yet. Null where another process has it. */
  static make(path: string, logPages: number): JournalFile | null {
    // Not opened if it exists: closing it here would drop the locks that this process has on it (POSIX).
    const isNew = !existsSync(path)
    if (isNew) closeSync(openSync(path, 'wx', 0o600))
    let file: JournalFile | null
    try {
      file = JournalFile.take(path, logPages)
    } catch (error) {
      if (isNew) rmSync(path, { force: true })
      throw error
    }
    // Another process may have found the empty file before its lock and removed it.
    if (!file || existsSync(path)) return file
    file.#database.close()
    return null
  }

  /** Opens a file that nobody holds. Null where somebody does, or it is gone; throws where it is damaged. */
  static take(path: string, logPages: number): JournalFile | null {
    const database = openQueue(path, logPages)
    try {
      return database && new JournalFile(path, database)
    } catch (error) {
      database?.close()
      throw error
    }
  }

  /** False where somebody removed it: what is committed would be gone with this process. */
  get isThere(): boolean {
    return !isGone(this.path) && !isGone(`${this.path}-wal`)
  }

  /** Whether SQLite can read all of it. */
  get isSound(): boolean {
    try {
      const { quick_check } = this.#database.prepare('PRAGMA quick_check(1)').get() ?? {}
      // It passes over some of what reading a long text meets.
      this.#database.prepare('SELECT sum(length(body)) FROM entries').get()
      return quick_check === 'ok'
    } catch (error) {
      if (isDamaged(error)) return false
      throw error
    }
  }

  /** How many records wait in it. */
  get waiting(): number {
    return this.#waiting
  }

  /** The bytes of the pages in use and of the log; what was freed is used again. */
  get bytes(): number {
    const { pages } = this.#database
      .prepare(
        `SELECT (SELECT page_count FROM pragma_page_count) -
                (SELECT freelist_count FROM pragma_freelist_count) AS pages`,
      )
      .get() as { pages: number }
    return pages * 4096 + this.#logSize()
  }

  /** On disk when it returns. False, with nothing written, where `fits` says no. */
  append(rows: readonly JournalRow[], fits: () => boolean): boolean {
    let position = this.#last
    const written = this.#transaction(() => {
      this.#remove.run(this.#shipped)
      for (const [essential, body] of rows) this.#insert.run(++position, essential, body)
      return fits()
    })
    if (!written) return false
    this.#last = position
    this.#trimmed = this.#shipped
    this.#waiting += rows.length
    return true
  }

  /** The oldest that are not shipped, at most so many; null where there are none. */
  next(most: number): JournalBatch | null {
    const rows = this.#database
      .prepare('SELECT position, body FROM entries WHERE position > ? ORDER BY position LIMIT ?')
      .iterate(this.#shipped, most)
    const bodies: string[] = []
    let bytes = 0
    let upTo = 0
    for (const { position, body } of rows as Iterable<{ position: number; body: string | null }>) {
      // Whatever came between would count as shipped.
      if (!(position > Math.max(upTo, this.#shipped) && position <= this.#last)) throw outOfOrder()
      // Of a damaged page a text may come as nothing.
      const text = body ?? ''
      bodies.push(text)
      upTo = position
      bytes += text.length
      if (bytes > batchBytes) break
    }
    return bodies.length > 0 ? { upTo, bodies } : null
  }

  /** Forgets what the store has. It goes with the next commit: shipped again after a crash, it does no harm. */
  shipped(upTo: number): void {
    const { n } = this.#database
      .prepare('SELECT count(*) AS n FROM entries WHERE position > ? AND position <= ?')
      .get(this.#shipped, upTo) as { n: number }
    this.#waiting -= n
    this.#shipped = Math.max(this.#shipped, upTo)
  }

  trim(): void {
    if (this.#trimmed === this.#shipped) return
    this.#remove.run(this.#shipped)
    this.#trimmed = this.#shipped
  }

  /** Gives freed pages, and the log, back to the disk. */
  compact(): void {
    this.#database.exec('PRAGMA incremental_vacuum')
    this.emptyLog()
  }

  emptyLog(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** Takes the content from the oldest records that have some; tells of how many, 0 when there are no more. */
  strip(): number {
    let stripped = 0
    while (stripped === 0) {
      const rows = this.#expendable(this.#bareTo)
      if (rows.length === 0) return 0
      const update = this.#database.prepare('UPDATE entries SET body = ? WHERE position = ?')
      this.#transaction(() => {
        for (const { position, body } of rows) {
          const bare = bareBody(body)
          if (bare === body) continue
          update.run(bare, position)
          stripped++
        }
        return true
      })
      this.#bareTo = rows.at(-1)?.position ?? 0
    }
    return stripped
  }

  /** Removes the oldest records that are neither start, end nor usage, and returns them. */
  drop(): string[] {
    const rows = this.#expendable(0)
    const remove = this.#database.prepare('DELETE FROM entries WHERE position = ?')
    this.#transaction(() => {
      for (const { position } of rows) remove.run(position)
      return true
    })
    this.#waiting -= rows.length
    return rows.map(({ body }) => body)
  }

  /** Rows after a position that are not shipped; `starts` alone, or all. A record that can't be read is null. */
  rowsAfter(
    position: number,
    starts: boolean,
  ): { position: number; record: InterceptionRecord | null }[] {
    const rows = this.#database
      .prepare(
        `SELECT position, body FROM entries WHERE position > ? AND essential >= ?
         ORDER BY position LIMIT ${chunk}`,
      )
      .all(Math.max(position, this.#shipped), starts ? 1 : 0) as {
      position: number
      body: string
    }[]
    return rows.map(({ position, body }) => ({ position, record: readRecord(body) }))
  }

  /** Changes rows: null removes one. What was in them is overwritten in the file. */
  change(changes: ReadonlyMap<number, InterceptionRecord | null>): void {
    const update = this.#database.prepare('UPDATE entries SET body = ? WHERE position = ?')
    const remove = this.#database.prepare('DELETE FROM entries WHERE position = ?')
    let removed = 0
    this.#transaction(() => {
      for (const [position, record] of changes) {
        if (record) update.run(JSON.stringify(record), position)
        else removed += Number(remove.run(position).changes)
      }
      return true
    })
    this.#waiting -= removed
  }

  /** Ends the file: all of it is in the store. */
  remove(): void {
    // While it is locked, so that nobody takes it in between.
    rmSync(this.path, { force: true })
    this.#database.close()
    rmSync(`${this.path}-wal`, { force: true })
  }

  close(): void {
    try {
      this.trim()
    } catch {
      // What is stored is shipped again then.
    }
    this.#database.close()
  }

  /** What waits in it and can be read, some rows at a time. */
  *left(): Generator<JournalRow[]> {
    for (const rows of salvage(this.#database, this.#shipped, this.#last))
      yield rows.map(({ essential, body }): JournalRow => [essential, body])
  }

  /** Puts a damaged file out of the way. */
  abandon(): void {
    setAside(this.path)
    this.#database.close()
  }

  /** As it was last, where we may not look any more: the file itself is open. */
  #logSize(): number {
    try {
      this.#logBytes = statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    } catch {}
    return this.#logBytes
  }

  #expendable(after: number): { position: number; body: string }[] {
    return this.#database
      .prepare(
        `SELECT position, body FROM entries
         WHERE position > ? AND essential = 0 ORDER BY position LIMIT ${chunk}`,
      )
      .all(Math.max(after, this.#shipped)) as { position: number; body: string }[]
  }

  #transaction(run: () => boolean): boolean {
    this.#database.exec('BEGIN')
    try {
      const done = run()
      this.#database.exec(done ? 'COMMIT' : 'ROLLBACK')
      return done
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }
}

function outOfOrder(): Error {
  return Object.assign(new Error('its records are out of order'), { errcode: 11 })
}

/** Not of one that we may not look for: it is open, and stays where it is. */
function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

/** The last position and the number of rows; of a file that is damaged what matters: that there are some. */
function extent(database: DatabaseSync): { last: number; n: number } {
  try {
    const row = database.prepare('SELECT max(position) AS last, count(*) AS n FROM entries').get()
    return { last: Number(row?.last), n: Number(row?.n) }
  } catch (error) {
    if (!isDamaged(error)) throw error
    return { last: Number.NaN, n: 1 }
  }
}

/** Puts a file that SQLite cannot read out of the way, for a person to look at. */
export function setAside(path: string): void {
  for (const end of ['', '-wal'])
    if (existsSync(path + end)) renameSync(path + end, `${path}.damaged${end}`)
}

/** The record's JSON without content. */
export function bareBody(body: string): string {
  const record = readRecord(body)
  const bare = record && dropContent(record)
  return bare === record ? body : JSON.stringify(bare)
}
