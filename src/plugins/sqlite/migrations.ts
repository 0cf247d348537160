import type { DatabaseSync } from 'node:sqlite'
import { SluiceError } from '../../core/errors.ts'
import { derivedSchema } from './derived-schema.ts'

/** 'Slce': tells our file from another program's. */
const applicationId = 0x536c6365

/**
 * What makes schema n + 1 of schema n. Never change one that was released: append.
 *
 * `records` has every record as it was. `interceptions` has of starts and ends what lists are filtered
 * and sorted by; its indexes hold ended interceptions only, so a start touches none of them.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE interceptions (
    id TEXT PRIMARY KEY,
    started_at INTEGER,
    ended_at INTEGER,
    ended INTEGER NOT NULL DEFAULT 0,
    reaped INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    initiator_id TEXT,
    initiator_username TEXT,
    provider TEXT,
    provider_name TEXT,
    model TEXT,
    client TEXT,
    session_id TEXT,
    client_session_id TEXT,
    thread_root_id TEXT,
    process_id TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX interceptions_by_start ON interceptions (started_at, id) WHERE ended = 1;
  CREATE INDEX interceptions_by_initiator
    ON interceptions (initiator_id, started_at, id) WHERE ended = 1;
  CREATE INDEX interceptions_by_username
    ON interceptions (initiator_username, started_at, id, initiator_id) WHERE ended = 1;
  CREATE INDEX interceptions_open ON interceptions (process_id) WHERE ended = 0;

  CREATE TABLE records (
    key INTEGER PRIMARY KEY,
    interception_id TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    seq INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (interception_id, id)
  ) STRICT;
  `,
  // Lineage: who offers a key (a call that it made), who wants one, and what hangs below whom.
  `
  ALTER TABLE interceptions ADD COLUMN thread_parent_id TEXT;
  ALTER TABLE interceptions ADD COLUMN retry_of TEXT;
  ALTER TABLE interceptions ADD COLUMN wanted_key TEXT;
  ALTER TABLE interceptions ADD COLUMN offered_key TEXT;

  CREATE TABLE offers (
    initiator_id TEXT,
    key TEXT,
    started_at INTEGER,
    interception_id TEXT,
    PRIMARY KEY (initiator_id, key, started_at, interception_id)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX interceptions_wanting
    ON interceptions (initiator_id, wanted_key, started_at) WHERE wanted_key IS NOT NULL;
  CREATE INDEX interceptions_by_parent
    ON interceptions (thread_parent_id) WHERE thread_parent_id IS NOT NULL;
  CREATE INDEX interceptions_by_first_try
    ON interceptions (retry_of) WHERE retry_of IS NOT NULL;
  `,
  // Annotations: whoever sends none pays for no index.
  `
  ALTER TABLE interceptions ADD COLUMN repo TEXT;
  ALTER TABLE interceptions ADD COLUMN branch TEXT;
  ALTER TABLE interceptions ADD COLUMN issue TEXT;

  UPDATE interceptions SET
    repo = body ->> '$.annotations.repo',
    branch = body ->> '$.annotations.branch',
    issue = body ->> '$.annotations.issue'
  FROM records
  WHERE interception_id = interceptions.id AND type = 'interception_start' AND json_valid(body);

  CREATE INDEX interceptions_by_repo
    ON interceptions (repo, started_at, id) WHERE repo IS NOT NULL AND ended = 1;
  CREATE INDEX interceptions_by_branch
    ON interceptions (branch, started_at, id) WHERE branch IS NOT NULL AND ended = 1;
  CREATE INDEX interceptions_by_issue
    ON interceptions (issue, started_at, id) WHERE issue IS NOT NULL AND ended = 1;
  `,
  // What is derived of what was there before is made in the background: see backfill.ts.
  derivedSchema,
]

/** Brings the database to the newest schema, or to one before. Safe where several processes start at once. */
export function migrate(database: DatabaseSync, path: string, to = migrations.length): void {
  if (version(database) === to && isOurs(database)) return
  database.exec('BEGIN IMMEDIATE')
  try {
    // Asked again: another process may have been faster.
    const from = version(database)
    if (from === 0 && isEmpty(database)) database.exec(`PRAGMA application_id = ${applicationId}`)
    if (!isOurs(database)) {
      throw new SluiceError(`${path} is another program's database: name another file`, {
        code: 'ERR_STORE_FOREIGN',
      })
    }
    if (from > migrations.length) {
      throw new SluiceError(
        `${path} was written by a newer Sluice (schema ${from}, this one knows ${migrations.length}): upgrade Sluice, or name another file`,
        { code: 'ERR_STORE_SCHEMA' },
      )
    }
    for (const migration of migrations.slice(from, to)) database.exec(migration)
    database.exec(`PRAGMA user_version = ${to}`)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function version(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}

function isOurs(database: DatabaseSync): boolean {
  return database.prepare('PRAGMA application_id').get()?.application_id === applicationId
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
}
