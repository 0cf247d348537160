import type { DatabaseSync } from 'node:sqlite'
import { SluiceError } from '../../core/errors.ts'
import type { Session } from '../../core/session.ts'
import type { SessionQuery } from '../../core/store.ts'
import { initiatorConditions, initiatorValues, type Values } from './combo-filter.ts'
import { ever, timesOf } from './segments.ts'
import { sessionsFrom } from './session-from-row.ts'

/** The page's keys come from an index alone. */
const orders = {
  active: { time: 'last_active_at', index: 'sessions_by_activity', direction: 'DESC', past: '<' },
  started: { time: 'started_at', index: 'sessions_by_start', direction: 'DESC', past: '<' },
  oldest: { time: 'started_at', index: 'sessions_by_start', direction: 'ASC', past: '>' },
} as const

/** A share of the sessions that is found sooner by walking through time than by kinds. */
const common = 0.05

export interface Sessions {
  readonly count: number
  readonly sessions: readonly Session[]
}

export function sessionList(database: DatabaseSync, query: SessionQuery): Sessions {
  const { limit = 100, offset = 0, sort = 'active', sessionId } = query
  const { time, index, direction, past } = orders[sort]
  const after = query.after === undefined ? null : spotOf(database, query, query.after, time)
  const kinds = kindsOf(database, query)
  const [from, to] = timesOf(query)
  const isTimed = from !== ever[0] || to !== ever[1]
  const conditions = [
    ...(kinds ? [kinds.condition] : []),
    ...(from === ever[0] ? [] : ['last_active_at >= $from']),
    ...(to === ever[1] ? [] : ['started_at < $to']),
    ...(sessionId === undefined ? [] : ['id = $sessionId']),
  ]
  const values: Values = {
    ...kinds?.values,
    ...(from === ever[0] ? {} : { from }),
    ...(to === ever[1] ? {} : { to }),
    ...(sessionId === undefined ? {} : { sessionId }),
  }
  const isRare = kinds?.isRare
  const table =
    sessionId !== undefined
      ? 'sessions'
      : `sessions INDEXED BY ${isRare ? 'sessions_by_kind' : index}`
  const where = (all: readonly string[]) => (all.length > 0 ? `WHERE ${all.join(' AND ')}` : '')
  const isSummed = !isTimed && sessionId === undefined
  const count = isSummed
    ? (kinds?.sessions ??
      Number(database.prepare('SELECT sum(sessions) AS n FROM kinds').get()?.n ?? 0))
    : Number(
        database.prepare(`SELECT count(*) AS n FROM ${table} ${where(conditions)}`).get(values)?.n,
      )
  const rest = after
    ? [...conditions, `(${time}, id, initiator_id) ${past} ($at, $id, $who)`]
    : conditions
  const keys = database
    .prepare(
      `SELECT key FROM ${table} ${where(rest)}
       ORDER BY ${time} ${direction}, id ${direction}, initiator_id ${direction}
       LIMIT $limit OFFSET $offset`,
    )
    .all({ ...values, ...after, limit, offset })
    .map(({ key }) => Number(key))
  return { count, sessions: sessionsFrom(database, keys) }
}

interface Kinds {
  /** Of the column `kind`. */
  readonly condition: string
  readonly values: Values
  readonly sessions: number
  readonly isRare: boolean
}

/** The kinds that match, null where all do. Lists are JSON texts, in which a text can be looked for with its quotes. */
function kindsOf(database: DatabaseSync, query: SessionQuery): Kinds | null {
  const conditions = initiatorConditions(query)
  const values = initiatorValues(query)
  if (query.client !== undefined) {
    conditions.push('kinds.client = $client')
    values.client = query.client
  }
  for (const [name, column] of [
    ['provider', 'providers'],
    ['providerName', 'provider_names'],
    ['model', 'models'],
  ] as const) {
    if (query[name] === undefined) continue
    conditions.push(`instr(kinds.${column}, $${name}) > 0`)
    values[name] = JSON.stringify(query[name])
  }
  if (conditions.length === 0) return null
  const where = `kinds.sessions > 0 AND ${conditions.join(' AND ')}`
  const row = database
    .prepare(
      `SELECT sum(sessions) AS sessions, (SELECT sum(sessions) FROM kinds) AS total
       FROM kinds WHERE ${where}`,
    )
    .get(values)
  const sessions = Number(row?.sessions ?? 0)
  const isRare = sessions < Number(row?.total ?? 0) * common
  if (!isRare) {
    const condition = `EXISTS (SELECT 1 FROM kinds WHERE kinds.key = kind AND ${where})`
    return { condition, values, sessions, isRare }
  }
  const keys = database.prepare(`SELECT json_group_array(key) AS keys FROM kinds WHERE ${where}`)
  return {
    condition: 'kind IN (SELECT value FROM json_each($kinds))',
    values: { kinds: String(keys.get(values)?.keys) },
    sessions,
    isRare,
  }
}

function spotOf(
  database: DatabaseSync,
  { afterInitiatorId, visibleTo }: SessionQuery,
  id: string,
  time: string,
): { at: number; id: string; who: string } {
  const rows = database
    .prepare(`SELECT initiator_id, ${time} AS at FROM sessions WHERE id = ?`)
    .all(id)
    .filter(
      ({ initiator_id: who }) => (afterInitiatorId ?? who) === who && (visibleTo ?? who) === who,
    )
  const [row, ...others] = rows
  // Of two with that id nobody knows which page was seen.
  if (!row || others.length > 0) {
    throw new SluiceError(
      `there is no session "${id}" to go on after, or several: name its initiator, or begin with the first page`,
      { code: 'ERR_CURSOR', status: 400 },
    )
  }
  return { at: Number(row.at), id, who: String(row.initiator_id) }
}
