import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { isDamaged, isDiskFault } from './disk-fault.ts'

export interface SalvagedRow {
  readonly position: number
  readonly essential: 0 | 1
  readonly body: string
}

const atOnce = 50
/** No file has positions so far apart. */
const farthest = 2 ** 40

/** What SQLite can still read of a damaged file after a position, some rows at a time; damaged pages are passed over. */
export function* salvage(
  database: DatabaseSync,
  after: number,
  upTo: number,
): Generator<SalvagedRow[]> {
  const select = database.prepare(
    'SELECT position, essential, body FROM entries WHERE position > ? ORDER BY position LIMIT ?',
  )

  function isSound(row: SalvagedRow, position: number): boolean {
    // The last position is not known of every file.
    return row.position > position && !(row.position > upTo) && typeof row.body === 'string'
  }

  /** Null where it cannot be read. */
  function read(position: number, most: number): SalvagedRow[] | null {
    try {
      const rows = select.all(position, most) as unknown as SalvagedRow[]
      const sound = rows.filter((row) => isSound(row, position))
      return rows.length > 0 && sound.length === 0 ? null : sound
    } catch (error) {
      if (isDamaged(error) || isDiskFault(error)) return null
      throw error
    }
  }

  /** The first position after which something can be read again; null where nothing can. */
  function beyond(position: number): number | null {
    let step = 1
    while (read(position + step, 1) === null) {
      step *= 2
      if (step > farthest) return null
    }
    let [bad, good] = [position + Math.trunc(step / 2), position + step]
    while (good - bad > 1) {
      const middle = Math.trunc((bad + good) / 2)
      if (read(middle, 1) === null) bad = middle
      else good = middle
    }
    return good
  }

  for (let position = after; ; ) {
    const rows = read(position, atOnce) ?? read(position, 1)
    const last = rows?.at(-1)
    if (rows && !last) return
    if (rows && last) {
      yield rows
      position = last.position
      continue
    }
    const next = beyond(position)
    if (next === null) return
    position = next
  }
}

/**
 * Makes a file that lost its end as long as its header says, with pages of nothing: SQLite refuses one that is
 * shorter. False where that is not what is wrong with it. Nobody may hold it.
 */
export function padToItsSize(path: string): boolean {
  const file = openSync(path, 'r+')
  try {
    // https://sqlite.org/fileformat.html#the_database_header
    const header = Buffer.alloc(100)
    if (readSync(file, header) < 100 || !header.toString('latin1').startsWith('SQLite format 3'))
      return false
    const bytes = header.readUInt16BE(16) * header.readUInt32BE(28)
    const { size } = fstatSync(file)
    // What is many times as large is no size but damage.
    if (bytes <= size || bytes > 2 ** 36) return false
    ftruncateSync(file, bytes)
    return true
  } finally {
    closeSync(file)
  }
}
