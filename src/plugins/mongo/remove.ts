import { hangsOn } from '../../core/links.ts'
import { tryUpserts, type Upsert } from './bulk-upsert.ts'
import type { Collections } from './collections.ts'
import type { DigestDocument } from './digest-document.ts'
import { furtherParts } from './interception-document.ts'
import { markDirty, marksOf } from './marks.ts'
import { findBegun } from './relatives.ts'

/**
 * Forgets interceptions, and resolves to what depends on them. Their first documents go last: a removal that
 * does not come to its end is seen by them, and done again. Of each a husk stays among the digests, so that somebody
 * who is making a digest meanwhile sees it, and what still comes of it is refused.
 */
export async function remove(
  collections: Collections,
  ids: readonly string[],
  why: 'pruned' | 'erased',
): Promise<readonly string[]> {
  const { interceptions, texts, digests } = collections
  const wanted = { _id: { $in: [...ids] } }
  await interceptions.updateMany(wanted, { $set: { doomed: why, stale: true }, $inc: { rev: 1 } })
  await keepLinks(collections, ids)
  const touches = await makeHusks(collections, ids, why)
  await markDirty(collections, touches)
  await texts.deleteMany(wanted)
  const first = await interceptions
    .find(wanted, { projection: { parts: 1 }, readPreference: 'primary' })
    .toArray()
  const more = furtherParts(first)
  if (more.length > 0) await interceptions.deleteMany({ _id: { $in: more } })
  await digests.updateMany({ ...wanted, gone: { $exists: true } }, { $unset: { touches: '' } })
  await interceptions.deleteMany({ ...wanted, doomed: { $exists: true } })
  return touches
}

/** What hangs on them stays where it is, though nobody could find out again why. */
async function keepLinks({ interceptions }: Collections, ids: readonly string[]): Promise<void> {
  const gone = (await findBegun(interceptions, ids)).map(({ _id }) => _id)
  const filter = { above: { $in: gone }, doomed: { $exists: false } }
  const options = { projection: { links: 1, lineage: 1 }, readPreference: 'primary' } as const
  const found = await interceptions.find(filter, options).toArray()
  const keep = found.flatMap(({ _id, lineage, links = lineage }) => {
    if (!lineage || !links || !hangsOn(new Set(gone), lineage, links)) return []
    const { threadParentId, threadRootId, sessionId } = links
    return [
      { filter: { _id }, update: { $set: { kept: { threadParentId, threadRootId, sessionId } } } },
    ]
  })
  await tryUpserts(interceptions, keep)
}

const emptied: Readonly<Record<string, ''>> = Object.fromEntries(
  [
    ...['ended', 'startedAt', 'hour', 'initiatorId', 'initiatorUsername', 'provider'],
    ...['providerName', 'model', 'client', 'session', 'sessionId', 'threadRootId', 'aside'],
    ...['outcome', 'tools', 'annotations', 'summary', 'textHash', 'fed'],
  ].map((member) => [member, '' as const]),
)

async function makeHusks(
  { digests }: Collections,
  ids: readonly string[],
  why: 'pruned' | 'erased',
): Promise<string[]> {
  for (;;) {
    const found = await digests
      .find({ _id: { $in: [...ids] } }, { readPreference: 'primary' })
      .toArray()
    const old = new Map(found.map((digest) => [digest._id, digest]))
    const husks = ids.map((id) => husk(id, old.get(id), why))
    const done = await tryUpserts(digests, husks)
    if (done < husks.length) continue
    return [...new Set(found.flatMap((digest) => [...(digest.touches ?? []), ...marksOf(digest)]))]
  }
}

function husk(
  _id: string,
  old: DigestDocument | undefined,
  why: 'pruned' | 'erased',
): Upsert<DigestDocument> {
  const touches = [...(old?.touches ?? []), ...(old ? marksOf(old) : [])]
  return {
    filter: { _id, rev: old ? old.rev : { $exists: false } },
    update: {
      $set: { rev: (old?.rev ?? 0) + 1, gone: old?.gone ?? why, goneAt: new Date(), touches },
      $unset: emptied,
    },
    upsert: !old,
  }
}
