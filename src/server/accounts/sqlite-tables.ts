import { SluiceError } from '../../core/errors.ts'
import type { openDatabase } from '../../plugins/sqlite/open-database.ts'

/** What makes version n + 1 of the tables of version n. Never change one that was released: append. */
const versions: readonly string[] = [
  `
  CREATE TABLE account_users (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE account_tokens (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES account_users (id),
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX account_tokens_by_user ON account_tokens (user_id);
  `,
]

type Database = ReturnType<typeof openDatabase>

/** Makes or upgrades the tables, whose version is apart from that of the records. Safe where several processes start at once. */
export function createAccountTables(database: Database): void {
  if (versionOf(database) === versions.length) return
  database.exec('BEGIN IMMEDIATE')
  try {
    // Asked again: another process may have been faster.
    const from = versionOf(database)
    database.exec('CREATE TABLE IF NOT EXISTS account_schema (version INTEGER NOT NULL) STRICT')
    if (from > versions.length) {
      throw new SluiceError(
        `the users in this store were written by a newer Sluice (version ${from}, this one knows ${versions.length}): upgrade Sluice, or name another file`,
        { code: 'ERR_STORE_SCHEMA' },
      )
    }
    for (const version of versions.slice(from)) database.exec(version)
    database.exec(`
      DELETE FROM account_schema;
      INSERT INTO account_schema VALUES (${versions.length});
    `)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function versionOf(database: Database): number {
  const there = "SELECT 1 FROM sqlite_schema WHERE name = 'account_schema'"
  if (!database.prepare(there).get()) return 0
  return Number(database.prepare('SELECT version FROM account_schema').get()?.version ?? 0)
}
