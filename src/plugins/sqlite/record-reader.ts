import type { DatabaseSync } from 'node:sqlite'
import { recordText, type StoredRow } from './record-rows.ts'

export interface PageQuery {
  readonly limit: number
  readonly offset: number
  readonly initiator: string | undefined
  readonly running: boolean
}

/** Pages and single interceptions: each result is the JSON text `{ links, records }` of an interception. */
export interface RecordReader {
  page(query: PageQuery): { count: number; results: string[] }
  one(id: string): string[]
}

export function recordReader(database: DatabaseSync): RecordReader {
  const recordsOf = database.prepare(`
    SELECT id, interception_id, type, seq, created_at, body FROM records
    WHERE interception_id IN (SELECT value FROM json_each(?))`)

  const linksOf = database.prepare(`
    SELECT id, thread_parent_id, thread_root_id, session_id FROM interceptions
    WHERE id IN (SELECT value FROM json_each(?))`)

  function textsOf(ids: readonly string[]): string[] {
    const links = new Map(linksOf.all(JSON.stringify(ids)).map((row) => [row.id, linksText(row)]))
    const texts = new Map<string, string[]>(ids.map((id) => [id, []]))
    for (const row of recordsOf.all(JSON.stringify(ids)) as unknown as StoredRow[])
      texts.get(row.interception_id)?.push(recordText(row))
    return [...texts].map(
      ([id, records]) => `{"links":${links.get(id) ?? 'null'},"records":[${records.join(',')}]}`,
    )
  }

  function read({ limit, offset, initiator, running }: PageQuery) {
    const parts = conditions(running, initiator !== undefined)
    const values: Record<string, string> = initiator === undefined ? {} : { initiator }
    const counted = database
      .prepare(
        `SELECT ${parts.map((part) => `(${select('count(*)', part)})`).join(' + ')} AS count`,
      )
      .get(values)
    const ids = database
      .prepare(
        `${parts.map((part) => select('started_at, id', part)).join(' UNION ALL ')}
         ORDER BY started_at DESC, id DESC LIMIT $limit OFFSET $offset`,
      )
      .all({ ...values, limit, offset })
      .map(({ id }) => String(id))
    return { count: Number(counted?.count), results: textsOf(ids) }
  }

  return {
    // In one transaction, so that the count and the page are of one moment.
    page: (query) => {
      database.exec('BEGIN')
      try {
        return read(query)
      } finally {
        database.exec('COMMIT')
      }
    },
    one: (id) => textsOf([id]),
  }
}

function linksText(row: Record<string, unknown>): string {
  return JSON.stringify({
    threadParentId: row.thread_parent_id,
    threadRootId: row.thread_root_id,
    sessionId: row.session_id,
  })
}

/** Disjoint conditions, each served by one index, whose rows SQLite merges in order. */
function conditions(running: boolean, byInitiator: boolean): string[] {
  if (!byInitiator) return running ? ['ended = 1', 'ended = 0'] : ['ended = 1']
  const ended = [
    'ended = 1 AND initiator_id = $initiator',
    'ended = 1 AND initiator_username = $initiator AND initiator_id <> $initiator',
  ]
  const open = 'ended = 0 AND (initiator_id = $initiator OR initiator_username = $initiator)'
  return running ? [...ended, open] : ended
}

/** An end that came before its start has no place in a list yet. */
function select(what: string, condition: string): string {
  return `SELECT ${what} FROM interceptions WHERE ${condition} AND started_at IS NOT NULL`
}
