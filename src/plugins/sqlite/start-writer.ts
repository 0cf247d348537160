import type { DatabaseSync } from 'node:sqlite'
import { sessionKey, wantedKey } from '../../core/links.ts'
import type { InterceptionStart } from '../../core/records.ts'

/** What of a start has a column, in the order of `startValues`. */
export const startColumns: readonly string[] = [
  ...['started_at', 'initiator_id', 'initiator_username', 'provider', 'provider_name', 'model'],
  ...['client', 'client_session_id', 'retry_of', 'wanted_key', 'offered_key', 'process_id'],
  ...['repo', 'branch', 'issue'],
]

export function startValues(start: InterceptionStart): (string | number | null)[] {
  return [
    Date.parse(start.startedAt),
    start.initiatorId,
    start.initiatorUsername,
    start.provider,
    start.providerName,
    start.model,
    start.client,
    start.clientSessionId,
    start.retryOf,
    wantedKey(start),
    sessionKey(start),
    start.processId,
    start.annotations.repo ?? null,
    start.annotations.branch ?? null,
    start.annotations.issue ?? null,
  ]
}

export function startWriter(
  database: DatabaseSync,
): (id: string, start: InterceptionStart) => void {
  // Links are the linker's to change.
  const links = ['session_id', 'thread_root_id', 'thread_parent_id']
  const put = database.prepare(`
    INSERT INTO interceptions (id, ${[...startColumns, ...links].join(', ')})
    VALUES (?, ${[...startColumns, ...links].map(() => '?').join(', ')})
    ON CONFLICT (id) DO UPDATE SET
      ${startColumns.map((column) => `${column} = excluded.${column}`).join(', ')}`)
  return (id, start) => {
    const { sessionId, threadRootId, threadParentId } = start
    put.run(id, ...startValues(start), sessionId, threadRootId, threadParentId)
  }
}
