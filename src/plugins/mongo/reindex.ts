import { randomUUID } from 'node:crypto'
import type { Collection } from 'mongodb'
import { dropContent } from '../../core/record-content.ts'
import type { ReindexReport } from '../../core/store.ts'
import { storedInterception } from '../../core/stored-interception.ts'
import { tryUpserts, type Upsert } from './bulk-upsert.ts'
import type { Collections } from './collections.ts'
import { idPages } from './id-pages.ts'
import { type InterceptionDocument, recordsIn } from './interception-document.ts'
import { aboveOf, offerOf } from './link-members.ts'
import { link } from './linker.ts'
import { markDirty, marksOf } from './marks.ts'
import { readWhole, type Whole } from './read-whole.ts'
import { startMembers } from './start-members.ts'
import type { Upkeep } from './upkeep.ts'

const isFirst = { of: { $exists: false } } as const

/** Makes all that is derived anew from the records, while others write. */
export async function reindex(collections: Collections, upkeep: Upkeep): Promise<ReindexReport> {
  const { interceptions, digests, texts, sessions, hours } = collections
  let count = 0
  for await (const ids of idPages(interceptions, isFirst)) {
    await renew(collections, ids)
    const linked = await link(interceptions, { started: new Set(ids), called: new Map() })
    await upkeep.digest(collections, [...new Set([...ids, ...linked])])
    const made = await digests.find({ _id: { $in: ids }, gone: { $exists: false } }).toArray()
    count += made.length
    const marks = made.flatMap(marksOf)
    await markDirty(collections, marks)
    upkeep.noteDirty(marks)
  }
  for await (const ids of idPages(digests, { gone: { $exists: false } })) {
    const there = await interceptions.distinct('_id', { _id: { $in: ids } })
    const lost = ids.filter((id) => !there.includes(id))
    if (lost.length > 0) await upkeep.remove(collections, lost, 'pruned')
  }
  for await (const ids of idPages(texts)) {
    const there = await interceptions.distinct('_id', { _id: { $in: ids } })
    await texts.deleteMany({ _id: { $in: ids.filter((id) => !there.includes(id)) } })
  }
  // Also those that have lost all that they were made from.
  const dirty = { $set: { dirty: randomUUID() } }
  for await (const ids of idPages(sessions)) {
    await sessions.updateMany({ _id: { $in: ids } }, dirty)
    upkeep.noteDirty(ids.map((id) => `s ${id}`))
    await upkeep.settle()
  }
  for await (const ids of idPages(hours)) {
    await hours.updateMany({ _id: { $in: ids } }, dirty)
    upkeep.noteDirty(ids.map((id) => `h ${id}`))
    await upkeep.settle()
  }
  return {
    interceptions: count,
    sessions: await sessions.countDocuments({ lastActiveAt: { $exists: true } }),
  }
}

/** What lists and links need of the records in the first document of each. */
async function renew(
  { interceptions, digests, texts }: Collections,
  ids: readonly string[],
): Promise<void> {
  for (let rest = [...ids], round = 0; rest.length > 0 && round < 8; round++) {
    const documents = await interceptions.find({ _id: { $in: rest } }).toArray()
    const wholes = await readWhole(interceptions, documents)
    const revs = await revsOf([digests, texts], rest)
    const renewals = wholes.map((whole) => renewal(whole, revs.get(whole.document._id) ?? 0))
    if ((await tryUpserts(interceptions, renewals)) === wholes.length) break
    rest = wholes.map(({ document }) => document._id)
  }
  // No text has this hash: all are written again. Before them: a digest says that its text is there.
  await digests.updateMany(
    { _id: { $in: [...ids] }, gone: { $exists: false } },
    { $set: { textHash: '' } },
  )
}

/** The highest `rev` that anything was made from. */
async function revsOf(
  made: readonly [Collections['digests'], Collections['texts']],
  ids: readonly string[],
): Promise<Map<string, number>> {
  const revs = new Map<string, number>()
  const options = { projection: { rev: 1 }, readPreference: 'primary' } as const
  for (const collection of made as unknown as Collection<{ _id: string; rev?: number }>[])
    for (const { _id, rev = 0 } of await collection
      .find({ _id: { $in: [...ids] } }, options)
      .toArray())
      revs.set(_id, Math.max(rev, revs.get(_id) ?? 0))
  return revs
}

function renewal({ document, parts }: Whole, made: number): Upsert<InterceptionDocument> {
  const { _id, rev, links } = document
  // As it was recorded, without the links that were found since.
  const records = recordsIn(_id, parts)
  const stored = storedInterception(records)
  const above = stored ? aboveOf(stored.start) : []
  if (links?.threadParentId) above.push(links.threadParentId)
  const members = stored && {
    ...startMembers(stored.start),
    ended: stored.end !== null,
    ...(records.some((record) => dropContent(record) !== record) && { worded: true as const }),
    ...(stored.toolUsages.length > 0 && { offers: [...new Set(stored.toolUsages.map(offerOf))] }),
  }
  return {
    // What changed in between has been written by somebody who does the same.
    filter: { _id, rev: rev ?? { $exists: false } },
    update: {
      // What was made from a newer one (this may be of a backup) would count as newer for ever.
      $set: { ...members, stale: true, rev: Math.max(rev ?? 0, made) + 1 },
      $addToSet: { above: { $each: above } },
    },
  }
}
