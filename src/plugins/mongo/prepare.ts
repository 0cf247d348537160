import { randomUUID } from 'node:crypto'
import { bulkUpsert } from './bulk-upsert.ts'
import type { Collections } from './collections.ts'
import { limitsId, readLimits } from './limits.ts'

/** Which way of making digests and sums this is: another number, and all are made anew. */
const derivation = 1

/** Gives a new store its name; and has digests made of what an earlier version of this program stored. */
export async function prepare(collections: Collections): Promise<void> {
  const { interceptions, limits } = collections
  const { derived } = await readLimits(collections)
  if (derived === derivation) return
  await interceptions.updateMany(
    { of: { $exists: false } },
    { $set: { stale: true, worded: true }, $inc: { rev: 1 } },
  )
  await bulkUpsert(limits, [
    {
      filter: { _id: limitsId },
      update: { $set: { derived: derivation }, $setOnInsert: { store: randomUUID() } },
      upsert: true,
    },
  ])
}
