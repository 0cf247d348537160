import type { Filter } from 'mongodb'
import type { FeedPage, FeedQuery } from '../../core/store.ts'
import type { Collections } from './collections.ts'
import type { DigestDocument } from './digest-document.ts'
import { type Cursor, readCursor, writeCursor } from './feed-cursor.ts'
import { beat } from './heartbeat.ts'
import { readLimits } from './limits.ts'
import { findAll } from './record-reader.ts'

/** How much later than its time something may show: it waits for a majority, and clocks of servers differ. */
const overlapMs = 5000

type Fed = Required<Pick<DigestDocument, '_id' | 'fedAt' | 'feeder' | 'fedNumber'>> &
  Pick<DigestDocument, 'initiatorId' | 'gone'>

/** What ended after the cursor, in the order in which it was stored. */
export async function findFeed(
  collections: Collections,
  processId: string,
  { after, visibleTo, limit = 100 }: FeedQuery,
): Promise<FeedPage> {
  const limits = await readLimits(collections)
  const store = limits.store ?? ''
  const last = after === undefined ? null : readCursor(after, store)
  if (last === null) {
    const cursor = writeCursor(await now(collections, processId), store)
    return { results: [], cursor, ...(after !== undefined && { gap: true }) }
  }
  let at = last
  let gap = limits.gapTo !== undefined && limits.gapTo.getTime() > last.time
  let isFirst = true
  const found: { cursor: string; id: string }[] = []
  for await (const fed of fedSince(collections, last.time)) {
    // It was told before, at the time or later than what came in between.
    if (fed.fedNumber <= (last.told[fed.feeder] ?? 0)) continue
    const isWanted = fed.gone === undefined && (visibleTo ?? fed.initiatorId) === fed.initiatorId
    if (isWanted && found.length === limit) break
    if (isFirst && fed.gone) gap = true
    isFirst = false
    at = passed(at, fed)
    if (isWanted) found.push({ cursor: writeCursor(trimmed(at), store), id: fed._id })
  }
  const stored = await findAll(
    collections,
    found.map(({ id }) => id),
  )
  const byId = new Map(stored.map((interception) => [interception.id, interception]))
  return {
    results: found.flatMap(({ cursor, id }) => {
      const interception = byId.get(id)
      return interception?.end ? [{ cursor, interception }] : []
    }),
    cursor: writeCursor(trimmed(at), store),
    ...(gap && { gap }),
  }
}

function fedSince({ digests }: Collections, time: number) {
  const filter: Filter<DigestDocument> = { fedAt: { $gte: new Date(time - overlapMs) } }
  const projection = { fedAt: 1, feeder: 1, fedNumber: 1, initiatorId: 1, gone: 1 } as const
  return digests
    .find(filter, { projection, readPreference: 'primary' })
    .sort({ fedAt: 1, feeder: 1, fedNumber: 1 }) as unknown as AsyncIterable<Fed>
}

/** The end of the feed: all that is there now has been told. */
async function now(collections: Collections, processId: string): Promise<Cursor> {
  // By the server's clock, which stamps what comes.
  const time = (await beat(collections.processes, processId)).getTime()
  let at: Cursor = { time, told: {}, seen: {} }
  for await (const fed of fedSince(collections, time)) at = passed(at, fed)
  return at
}

function passed({ time, told, seen }: Cursor, { fedAt, feeder, fedNumber }: Fed): Cursor {
  const at = fedAt.getTime()
  return {
    time: Math.max(time, at),
    told: { ...told, [feeder]: Math.max(told[feeder] ?? 0, fedNumber) },
    seen: { ...seen, [feeder]: Math.max(seen[feeder] ?? 0, at) },
  }
}

/** Processes that have told nothing for long need not be named: what they told is not looked at again. */
function trimmed({ time, told, seen }: Cursor): Cursor {
  const recent = Object.entries(told).filter(
    ([feeder]) => (seen[feeder] ?? 0) >= time - 2 * overlapMs,
  )
  return {
    time,
    told: Object.fromEntries(recent),
    seen: Object.fromEntries(recent.map(([feeder]) => [feeder, seen[feeder] ?? 0])),
  }
}
