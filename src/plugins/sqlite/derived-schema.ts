import { tokenizer } from './search-query.ts'

const measures = `
  interceptions INTEGER NOT NULL DEFAULT 0,
  prompts INTEGER NOT NULL DEFAULT 0,
  tool_calls INTEGER NOT NULL DEFAULT 0,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_input_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_input_tokens INTEGER NOT NULL DEFAULT 0,
  cost_nano_usd INTEGER NOT NULL DEFAULT 0,
  unpriced INTEGER NOT NULL DEFAULT 0`

/**
 * What is derived from the records, in the transaction that writes them (schema 4).
 *
 * `summaries` has the ended interceptions under keys in order of time: 2^20 for each millisecond, so that every
 * index of it is in that order, and the text index, too. A `combo` is what an interception can be filtered by,
 * a `kind` the same of a session: there are few of either, so a filter finds those that match and has their sums.
 * Tables with sums are not STRICT: a price may be a fraction.
 */
export const derivedSchema: string = `
  DROP INDEX interceptions_by_start;
  DROP INDEX interceptions_by_initiator;
  DROP INDEX interceptions_by_username;
  CREATE INDEX interceptions_by_root
    ON interceptions (thread_root_id) WHERE thread_root_id IS NOT NULL;

  -- Its links stay: what it hung on was forgotten.
  ALTER TABLE interceptions ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE tombstones (initiator TEXT PRIMARY KEY, before INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE wordy (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE erased (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TABLE names (key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE initiators (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    username TEXT NOT NULL,
    UNIQUE (id, username)
  ) STRICT;
  CREATE INDEX initiators_by_username ON initiators (username);

  CREATE TABLE combos (
    key INTEGER PRIMARY KEY,
    initiator INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    provider_name INTEGER NOT NULL,
    model INTEGER NOT NULL,
    client INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    interceptions INTEGER NOT NULL DEFAULT 0,
    UNIQUE (initiator, provider, provider_name, model, client, outcome)
  ) STRICT;
  CREATE INDEX combos_by_provider ON combos (provider) WHERE interceptions > 0;
  CREATE INDEX combos_by_provider_name ON combos (provider_name) WHERE interceptions > 0;
  CREATE INDEX combos_by_model ON combos (model) WHERE interceptions > 0;
  CREATE INDEX combos_by_client ON combos (client) WHERE interceptions > 0;

  CREATE TABLE summaries (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    feed INTEGER NOT NULL,
    session INTEGER NOT NULL,
    combo INTEGER NOT NULL,
    root INTEGER NOT NULL,
    reaped INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    prompt_at INTEGER,
    ${measures},
    token_metadata TEXT NOT NULL,
    tools TEXT NOT NULL,
    text_mark INTEGER NOT NULL
  );
  CREATE INDEX summaries_by_combo ON summaries (combo);
  CREATE INDEX summaries_by_session
    ON summaries (session, key, combo, root, ended_at, prompt_at);

  CREATE TABLE feed (seq INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL) STRICT;

  CREATE TABLE tool_uses (
    tool INTEGER NOT NULL,
    key INTEGER NOT NULL,
    combo INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (tool, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE cells (
    span INTEGER NOT NULL,
    at INTEGER NOT NULL,
    combo INTEGER NOT NULL,
    ${measures},
    PRIMARY KEY (span, at, combo)
  ) WITHOUT ROWID;
  CREATE INDEX cells_by_combo ON cells (combo, span, at);

  CREATE TABLE totals (
    dimension INTEGER NOT NULL,
    at INTEGER NOT NULL,
    name INTEGER NOT NULL,
    ${measures},
    PRIMARY KEY (dimension, at, name)
  ) WITHOUT ROWID;
  CREATE INDEX totals_by_name ON totals (dimension, name, at);

  CREATE TABLE tool_cells (
    span INTEGER NOT NULL,
    tool INTEGER NOT NULL,
    at INTEGER NOT NULL,
    combo INTEGER NOT NULL,
    ${measures},
    PRIMARY KEY (span, tool, at, combo)
  ) WITHOUT ROWID;

  CREATE INDEX tool_cells_by_combo ON tool_cells (combo, span, at);

  CREATE TABLE kinds (
    key INTEGER PRIMARY KEY,
    initiator INTEGER NOT NULL,
    client TEXT NOT NULL,
    providers TEXT NOT NULL,
    provider_names TEXT NOT NULL,
    models TEXT NOT NULL,
    sessions INTEGER NOT NULL DEFAULT 0,
    UNIQUE (initiator, client, providers, provider_names, models)
  ) STRICT;

  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    initiator_id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    first_id TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,
    prompted_id TEXT,
    prompt_id TEXT,
    prompt_at INTEGER,
    threads INTEGER NOT NULL,
    ${measures},
    token_metadata TEXT NOT NULL,
    UNIQUE (id, initiator_id)
  );
  CREATE INDEX sessions_by_activity
    ON sessions (last_active_at, id, initiator_id, started_at, kind);
  CREATE INDEX sessions_by_start
    ON sessions (started_at, id, initiator_id, last_active_at, kind);
  CREATE INDEX sessions_by_kind
    ON sessions (kind, last_active_at, id, initiator_id, started_at);

  CREATE VIRTUAL TABLE texts USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = '${tokenizer}'
  );

  INSERT INTO meta VALUES
    ('epoch', 0), ('store', lower(hex(randomblob(6)))),
    ('pruned', NULL), ('emptied', NULL), ('emptied_key', NULL), ('forgotten_feed', 0),
    ('backfill', (SELECT max(id) FROM interceptions));
`
