import { DatabaseSync } from 'node:sqlite'
import { storedInterception } from '../../core/stored-interception.ts'
import { annotationConditions } from './annotation-conditions.ts'
import type { Values } from './combo-filter.ts'
import type { Scope, Spot } from './interception-list.ts'
import { salvage } from './salvage.ts'
import { tokenizer } from './search-query.ts'
import { searchText } from './search-text.ts'

const columns = [
  ['visibleTo', 'initiator_id'],
  ['provider', 'provider'],
  ['providerName', 'provider_name'],
  ['model', 'model'],
  ['client', 'client'],
  ['sessionId', 'session_id'],
] as const

/** Those that have not ended: few, and in no index but one of their own. */
export function runningIds(database: DatabaseSync, { query, match, from, to }: Scope): Spot[] {
  if (query.outcome !== undefined) return []
  const annotated = annotationConditions(query.annotations ?? {})
  const conditions = [
    'ended = 0',
    'started_at >= $from AND started_at < $to',
    ...annotated.conditions,
  ]
  const values: Values = { ...annotated.values, from, to }
  for (const [name, column] of columns) {
    if (query[name] === undefined) continue
    conditions.push(`${column} = $${name}`)
    values[name] = query[name]
  }
  if (query.initiator !== undefined) {
    conditions.push('(initiator_id = $initiator OR initiator_username = $initiator)')
    values.initiator = query.initiator
  }
  if (query.tool !== undefined) {
    conditions.push(`EXISTS (
      SELECT 1 FROM records WHERE interception_id = interceptions.id
        AND records.type = 'tool_usage' AND iif(json_valid(body), body ->> '$.tool', NULL) = $tool)`)
    values.tool = query.tool
  }
  const spots = database
    .prepare(`SELECT id, started_at FROM interceptions WHERE ${conditions.join(' AND ')}`)
    .all(values)
    .map((row) => ({ id: String(row.id), at: Number(row.started_at) }))
  return match === null ? spots : matching(database, spots, match)
}

/** They are not in the text index: one is made for them. */
function matching(database: DatabaseSync, spots: readonly Spot[], match: string): Spot[] {
  const salvaged = salvage(database)
  const memory = new DatabaseSync(':memory:')
  try {
    memory.exec(
      `CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', tokenize = '${tokenizer}')`,
    )
    const put = memory.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)')
    for (const [index, { id }] of spots.entries()) {
      const stored = storedInterception(salvaged(id).records)
      if (stored) put.run(index, searchText(stored))
    }
    return memory
      .prepare('SELECT rowid AS at FROM texts WHERE texts MATCH ?')
      .all(match)
      .map(({ at }) => spots[Number(at)])
      .filter((spot) => spot !== undefined)
  } finally {
    memory.close()
  }
}
