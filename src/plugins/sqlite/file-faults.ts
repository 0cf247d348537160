import type { DatabaseSync } from 'node:sqlite'

/** What SQLite itself finds wrong with the file, with the way out. */
export function fileFaults(database: DatabaseSync, recordsAreDamaged: boolean): string[] {
  const lines = [...integrity(database), ...foreignKeys(database)]
  return lines
    .filter((line) => !(recordsAreDamaged && /value in records\./.test(line)))
    .map((line) =>
      damageOf(line) === 'file'
        ? `the file is damaged (${line}): restore a copy of it`
        : `what is derived is damaged in the file (${line}): run reindex`,
    )
}

/** What `reindex` has to make anew before it goes by it. */
export interface DamagedParts {
  readonly texts: boolean
  readonly indexes: boolean
}

export function damagedParts(database: DatabaseSync): DamagedParts {
  const damages = integrity(database).map(damageOf)
  return { texts: damages.includes('texts'), indexes: damages.includes('indexes') }
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
