import type { Filter } from 'mongodb'
import { SluiceError } from '../../core/errors.ts'
import type { SessionPage, SessionQuery } from '../../core/store.ts'
import type { Collections } from './collections.ts'
import type { Counts } from './counts.ts'
import { sessionFilter } from './filters.ts'
import { type SessionDocument, sessionIn } from './session-document.ts'
import { shortKey } from './short-key.ts'

const orders = {
  active: { member: 'lastActiveAt', direction: -1 },
  started: { member: 'startedAt', direction: -1 },
  oldest: { member: 'startedAt', direction: 1 },
} as const

/** One page of the list, and how many there are. */
export async function findSessions(
  { sessions }: Collections,
  counts: Counts,
  query: SessionQuery,
): Promise<SessionPage> {
  const { limit = 100, offset = 0, after, afterInitiatorId, sort = 'active', ...filters } = query
  const { member, direction } = orders[sort]
  const filter = sessionFilter(filters)
  const beyond =
    after === undefined
      ? {}
      : behind(await cursorOf(sessions, after, afterInitiatorId, query.visibleTo), sort)
  const [counted, found] = await Promise.all([
    counts.count(sessions, filter),
    sessions
      .find({ $and: [filter, beyond] }, { projection: { session: 1 } })
      .sort({ [member]: direction, sessionId: direction, initiatorId: direction })
      .skip(offset)
      .limit(limit)
      .toArray(),
  ])
  return { ...counted, sessions: found.map(sessionIn) }
}

async function cursorOf(
  sessions: Collections['sessions'],
  after: string,
  initiatorId: string | undefined,
  visibleTo: string | undefined,
): Promise<SessionDocument> {
  const found = await sessions
    .find({
      sessionId: shortKey(after),
      lastActiveAt: { $exists: true },
      $and: [
        initiatorId === undefined ? {} : { initiatorId },
        visibleTo === undefined ? {} : { initiatorId: visibleTo },
      ],
    })
    .limit(2)
    .toArray()
  const [last] = found
  if (last && found.length === 1) return last
  const message = last
    ? `several initiators have a session "${after}": name one of them`
    : `there is no session "${after}" to go on from; begin at the first page`
  throw new SluiceError(message, { code: 'ERR_CURSOR', status: 400 })
}

function behind(last: SessionDocument, sort: keyof typeof orders): Filter<SessionDocument> {
  const { member, direction } = orders[sort]
  const further = direction === 1 ? '$gt' : '$lt'
  const { [member]: at, sessionId = '', initiatorId = '' } = last
  return {
    [member]: { [`${further}e`]: at },
    $or: [
      { [member]: { [further]: at } },
      { [member]: at, sessionId: { [further]: sessionId } },
      { [member]: at, sessionId, initiatorId: { [further]: initiatorId } },
    ],
  }
}
