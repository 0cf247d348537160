import type { EraseQuery, EraseReport } from '../../core/store.ts'
import type { Collections } from './collections.ts'
import { hashOf, limitsId } from './limits.ts'
import type { Upkeep } from './upkeep.ts'

const atOnce = 25

/** Forgets an initiator: what is stored, running or not, and what is still to come. */
export async function erase(
  collections: Collections,
  upkeep: Upkeep,
  { initiator, before, dryRun = false }: EraseQuery,
): Promise<EraseReport> {
  const { interceptions, limits } = collections
  const until = before === undefined ? new Date() : new Date(before)
  const known = await idsOf(collections, initiator)
  // Nothing of it has come yet: it may be on its way, under an id or a name.
  const initiatorIds = known.length === 0 ? [initiator] : known
  const filter = { initiatorId: { $in: initiatorIds }, startedAt: { $lte: until } }
  if (dryRun) return { interceptions: await interceptions.countDocuments(filter), initiatorIds }
  // If this process dies now, the others do the rest.
  const { matchedCount } = await interceptions.updateMany(filter, {
    $set: { doomed: 'erased', stale: true },
    $inc: { rev: 1 },
  })
  const of = known.length === 0 ? ('name' as const) : ('id' as const)
  const tombstones = initiatorIds.map((id) => ({ hash: hashOf(id), of, before: until }))
  await limits.updateOne(
    { _id: limitsId },
    { $addToSet: { erased: { $each: tombstones } } },
    { upsert: true },
  )
  // Also what has come since.
  for (;;) {
    const options = { projection: { _id: 1 }, limit: atOnce, readPreference: 'primary' } as const
    const found = await interceptions.find(filter, options).toArray()
    if (found.length === 0) break
    await upkeep.remove(
      collections,
      found.map(({ _id }) => _id),
      'erased',
    )
  }
  // Sessions still show the last prompt of it.
  await upkeep.settle()
  return { interceptions: matchedCount, initiatorIds }
}

async function idsOf(
  { interceptions, digests }: Collections,
  initiator: string,
): Promise<string[]> {
  const [own, named] = await Promise.all([
    interceptions.findOne({ initiatorId: initiator }, { projection: { _id: 1 } }),
    digests.distinct('initiatorId', { initiatorUsername: initiator }),
  ])
  const ids = new Set(named.map(String))
  if (own) ids.add(initiator)
  return [...ids].sort()
}
