import type { Filter } from 'mongodb'
import { SluiceError } from '../../core/errors.ts'
import type { SessionAnswer, SessionDetailQuery } from '../../core/store.ts'
import { type Thread, threadOf } from '../../core/thread.ts'
import type { Collections } from './collections.ts'
import type { DigestDocument } from './digest-document.ts'
import { sessionFilter } from './filters.ts'
import { findAll } from './record-reader.ts'
import { sessionIn } from './session-document.ts'

/** A session with a page of its threads. */
export async function findSession(
  collections: Collections,
  { id, visibleTo, initiator, ...page }: SessionDetailQuery,
): Promise<SessionAnswer | null> {
  const filter = sessionFilter({
    sessionId: id,
    ...(visibleTo !== undefined && { visibleTo }),
    ...(initiator !== undefined && { initiator }),
  })
  const found = await collections.sessions.find(filter).sort({ initiatorId: 1 }).toArray()
  const [first, ...others] = found
  if (!first) return null
  const session = sessionIn(first)
  if (others.length > 0) {
    const initiators = found.map(sessionIn).map(({ initiatorId, initiatorUsername }) => ({
      id: initiatorId,
      username: initiatorUsername,
    }))
    return { type: 'ambiguous', initiators }
  }
  const roots = await rootsOf(collections, first._id, id, page)
  return {
    type: 'session',
    session,
    threads: await threadsOf(collections, roots, session.initiatorId),
  }
}

async function rootsOf(
  { digests }: Collections,
  session: string,
  id: string,
  { after, before, limit = 50, aside = false }: Omit<SessionDetailQuery, 'id'>,
): Promise<string[]> {
  const roots: Filter<DigestDocument> = { session, threadRootId: null, ended: true }
  const bounds: Filter<DigestDocument>[] = []
  for (const [thread, further] of [
    [after, '$gt'],
    [before, '$lt'],
  ] as const) {
    if (thread === undefined) continue
    const startedAt = (await digests.findOne({ ...roots, _id: thread }))?.startedAt
    if (!startedAt) {
      throw new SluiceError(
        `there is no thread of session "${id}" "${thread}" to go on from; begin at the first page`,
        { code: 'ERR_CURSOR', status: 400 },
      )
    }
    bounds.push({
      $or: [{ startedAt: { [further]: startedAt } }, { startedAt, _id: { [further]: thread } }],
    })
  }
  const backwards = before !== undefined
  const direction = backwards ? -1 : 1
  const found = await digests
    .find({ $and: [roots, aside ? {} : { aside: false }, ...bounds] }, { projection: { _id: 1 } })
    .sort({ startedAt: direction, _id: direction })
    .limit(limit)
    .toArray()
  const ids = found.map(({ _id }) => _id)
  return backwards ? ids.toReversed() : ids
}

async function threadsOf(
  collections: Collections,
  roots: readonly string[],
  initiatorId: string,
): Promise<Thread[]> {
  if (roots.length === 0) return []
  const members = await collections.digests
    // Of the initiator's own: a start may name a stranger's interception as its root.
    .find(
      { threadRootId: { $in: [...roots] }, initiatorId },
      { projection: { _id: 1, threadRootId: 1 } },
    )
    .toArray()
  const all = await findAll(collections, [...roots, ...members.map(({ _id }) => _id)])
  const stored = new Map(all.map((each) => [each.id, each]))
  const below = Map.groupBy(members, ({ threadRootId }) => threadRootId)
  const threads: Thread[] = []
  for (const id of roots) {
    const root = stored.get(id)
    const others = (below.get(id) ?? []).map(({ _id }) => stored.get(_id))
    const thread =
      root &&
      (await threadOf(
        root,
        others.filter((each) => each !== undefined),
      ))
    if (thread) threads.push(thread)
  }
  return threads
}
