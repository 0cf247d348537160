import type { DatabaseSync } from 'node:sqlite'
import { recordText, type StoredRow } from './record-rows.ts'

export interface PageQuery {
  readonly limit: number
  readonly offset: number
  readonly initiator: string | undefined
  readonly annotations: Readonly<Record<string, string>>
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

  function read({ limit, offset, initiator, annotations, running }: PageQuery) {
    const annotated = annotationConditions(annotations)
    const parts = conditions(running, initiator !== undefined).map((part) =>
      [part, ...annotated.conditions].join(' AND '),
    )
    const values = { ...annotated.values, ...(initiator !== undefined && { initiator }) }
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

/** All that are wanted must be there. Names of the three that have columns are literals, so that their indexes serve. */
function annotationConditions(annotations: Readonly<Record<string, string>>) {
  const pairs = Object.entries(annotations)
  return {
    conditions: pairs.map(([name], index) =>
      columns.has(name)
        ? `${name} = $value${index}`
        : `EXISTS (
             SELECT 1 FROM records, json_each(body, '$.annotations') AS annotation
             WHERE interception_id = interceptions.id AND records.type = 'interception_start'
               AND annotation.key = $name${index} AND annotation.value = $value${index})`,
    ),
    values: Object.fromEntries(
      pairs.flatMap(([name, value], index) => [
        [`value${index}`, value],
        ...(columns.has(name) ? [] : [[`name${index}`, name]]),
      ]),
    ) as Readonly<Record<string, string>>,
  }
}

const columns: ReadonlySet<string> = new Set(['repo', 'branch', 'issue'])

/** An end that came before its start has no place in a list yet. */
function select(what: string, condition: string): string {
  return `SELECT ${what} FROM interceptions WHERE ${condition} AND started_at IS NOT NULL`
}
