import type { DatabaseSync } from 'node:sqlite'
import { isCorrupt } from './fault.ts'
import { isIndexed } from './indexed-words.ts'
import { verifyInterceptions } from './verify-interceptions.ts'

/** What SQLite itself finds wrong with the file, with the way out. */
export function fileFaults(database: DatabaseSync, recordsAreDamaged: boolean): string[] {
  const lines = [...integrity(database), ...foreignKeys(database)]
  return lines
    .filter((line) => !(recordsAreDamaged && /value in records\./.test(line)))
    .map((line) =>
      damageOf(line) === 'file'
        ? ofFile(line)
        : `what is derived is damaged in the file (${line}): run reindex`,
    )
}

export function ofFile(line: string): string {
  return `the file is damaged (${line}): restore a copy of it`
}

/** What `reindex` has to make anew before it goes by it. */
export interface DamagedParts {
  readonly texts: boolean
  readonly indexes: boolean
}

export function damagedParts(database: DatabaseSync): DamagedParts {
  const damages = integrity(database).map(damageOf)
  // It may not come to its end: what there is stays.
  if (damages.includes('file')) return { texts: false, indexes: false }
  const indexes = damages.includes('indexes')
  // Where an index is broken, records may seem to be missing: once it is made anew nothing is known of the words.
  const texts = damages.includes('texts') || indexes || !hasWords(database)
  return { texts, indexes }
}

/** Also words that nobody wrote, which renewing text by text would leave. */
function hasWords(database: DatabaseSync): boolean {
  try {
    return isIndexed(database, verifyInterceptions(database).words)
  } catch (error) {
    if (!isCorrupt(error)) throw error
    return false
  }
}

/** https://sqlite.org/pragma.html#pragma_integrity_check: in words alone. */
function damageOf(line: string): 'texts' | 'indexes' | 'derived' | 'file' {
  if (/^fts5:|texts/.test(line)) return 'texts'
  if (/(missing from|wrong # of entries in|values differ from) index|^non-unique entry/.test(line))
    return 'indexes'
  const [, table = 'records'] = / value in (\w+)\./.exec(line) ?? []
  return table === 'records' ? 'file' : 'derived'
}

function integrity(database: DatabaseSync): string[] {
  return database
    .prepare('PRAGMA integrity_check(20)')
    .all()
    .map((row) => String(Object.values(row)[0]))
    .filter((line) => line !== 'ok')
}

function foreignKeys(database: DatabaseSync): string[] {
  return database
    .prepare('PRAGMA foreign_key_check')
    .all()
    .map(({ table, rowid, parent }) => `row ${rowid} of ${table} refers to no row of ${parent}`)
}
