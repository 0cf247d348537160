import type { Erasure, Erasures } from '../../core/store.ts'
import type { Collections } from './collections.ts'
import { readLimits } from './limits.ts'

/** Who was erased, and which of these interceptions are gone, or on their way. */
export async function erasures(
  collections: Collections,
  among: readonly string[],
): Promise<Erasures> {
  const { erased = [] } = await readLimits(collections)
  const initiators = erased.map(
    ({ hash, of, before }): Erasure => ({ hash, of, until: before.toISOString() }),
  )
  if (among.length === 0) return { initiators, interceptions: [] }
  const { interceptions, digests } = collections
  const options = { projection: { _id: 1 }, readPreference: 'primary' } as const
  // Those first: what goes from there has its husk before.
  const going = await interceptions
    .find({ _id: { $in: [...among] }, doomed: 'erased' }, options)
    .toArray()
  const gone = await digests
    .find({ _id: { $in: [...among] }, gone: { $exists: true } }, options)
    .toArray()
  return { initiators, interceptions: [...new Set([...going, ...gone].map(({ _id }) => _id))] }
}
