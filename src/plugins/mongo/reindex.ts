import { randomUUID } from 'node:crypto'
import type { ReindexReport } from '../../core/store.ts'
import { storedInterception } from '../../core/stored-interception.ts'
import { tryUpserts, type Upsert } from './bulk-upsert.ts'
import type { Collections } from './collections.ts'
import { idPages } from './id-pages.ts'
import { type InterceptionDocument, recordsIn } from './interception-document.ts'
import { offerOf } from './link-members.ts'
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
async function renew({ interceptions }: Collections, ids: readonly string[]): Promise<void> {
  for (let rest = [...ids], round = 0; rest.length > 0 && round < 8; round++) {
    const documents = await interceptions.find({ _id: { $in: rest } }).toArray()
    const wholes = await readWhole(interceptions, documents)
    if ((await tryUpserts(interceptions, wholes.map(renewal))) === wholes.length) return
    rest = wholes.map(({ document }) => document._id)
  }
}

function renewal({ document, parts }: Whole): Upsert<InterceptionDocument> {
  const { _id, rev } = document
  // As it was recorded, without the links that were found since.
  const stored = storedInterception(recordsIn(_id, parts))
  const members = stored && {
    ...startMembers(stored.start),
    ended: stored.end !== null,
    ...(stored.toolUsages.length > 0 && { offers: [...new Set(stored.toolUsages.map(offerOf))] }),
  }
  return {
    // What changed in between has been written by somebody who does the same.
    filter: { _id, rev: rev ?? { $exists: false } },
    update: { $set: { ...members, stale: true }, $inc: { rev: 1 } },
  }
}
