import type { DatabaseSync } from 'node:sqlite'
import { SluiceError } from '../../core/errors.ts'
import type { Session } from '../../core/session.ts'
import type { SessionDetailQuery } from '../../core/store.ts'
import { sessionsFrom } from './session-from-row.ts'

export type SessionIds =
  | {
      readonly type: 'session'
      readonly session: Session
      /** Of each thread: its root's id, then those of what hangs below. */
      readonly threads: readonly (readonly string[])[]
    }
  | {
      readonly type: 'ambiguous'
      readonly initiators: readonly { readonly id: string; readonly username: string }[]
    }

interface Root {
  readonly id: string
  readonly at: number
}

/** A session and the ids of a page of its threads: an index tells where roots are, whatever its length. */
export function sessionThreads(
  database: DatabaseSync,
  query: SessionDetailQuery,
): SessionIds | null {
  const { id, visibleTo, initiator } = query
  const named = database
    .prepare(
      `SELECT sessions.key, initiator_id AS id, username
       FROM sessions JOIN kinds ON kinds.key = kind JOIN initiators ON initiators.key = initiator
       WHERE sessions.id = ? ORDER BY initiator_id`,
    )
    .all(id)
    .filter((row) => (visibleTo ?? row.id) === row.id)
    .filter((row) => initiator === undefined || [row.id, row.username].includes(initiator))
  const [found, ...others] = named
  if (!found) return null
  if (others.length > 0) {
    const initiators = named.map((row) => ({ id: String(row.id), username: String(row.username) }))
    return { type: 'ambiguous', initiators }
  }
  const key = Number(found.key)
  const [session] = sessionsFrom(database, [key])
  if (!session) return null
  const below = database.prepare(`
    SELECT id FROM interceptions
    WHERE thread_root_id = ? AND ended = 1 AND initiator_id = ? ORDER BY started_at, id`)
  const threads = rootsOf(database, key, query).map((root) => [
    root.id,
    ...below.all(root.id, session.initiatorId).map((row) => String(row.id)),
  ])
  return { type: 'session', session, threads }
}

function rootsOf(
  database: DatabaseSync,
  session: number,
  { id, after, before, limit = 50, aside = false }: SessionDetailQuery,
): Root[] {
  const spot = database.prepare(
    'SELECT id, key >> 20 AS at FROM summaries WHERE id = ? AND session = ? AND root > 0',
  )
  function known(thread: string): Root {
    const row = spot.get(thread, session)
    if (row) return { id: thread, at: Number(row.at) }
    throw new SluiceError(
      `session "${id}" has no thread ${thread} to go on from: begin with the first page`,
      { code: 'ERR_CURSOR', status: 400 },
    )
  }
  const first = after === undefined ? null : known(after)
  const end = before === undefined ? null : known(before)
  const backwards = end !== null
  const rows = database
    .prepare(
      `SELECT key >> 20 AS at, id FROM summaries INDEXED BY summaries_by_session
       WHERE session = $session AND root BETWEEN 1 AND $root
         AND key >= $from << 20 AND key < ($to + 1) << 20
       ORDER BY key ${backwards ? 'DESC' : 'ASC'}`,
    )
    .iterate({
      session,
      root: aside ? 2 : 1,
      from: first?.at ?? -(2 ** 42),
      to: end?.at ?? 2 ** 42,
    })
  const roots: Root[] = []
  for (const row of rows) {
    const root = { id: String(row.id), at: Number(row.at) }
    if ((first && order(root, first) <= 0) || (end && order(root, end) >= 0)) continue
    // Those of one millisecond come in the order of arrival.
    if (roots.length >= limit && roots.at(-1)?.at !== root.at) break
    roots.push(root)
  }
  roots.sort(order)
  return backwards ? roots.slice(-limit) : roots.slice(0, limit)
}

function order(a: Root, b: Root): number {
  return a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id))
}
