import type { StoredInterception } from '../../core/recorder.ts'
import { tryUpserts } from './bulk-upsert.ts'
import type { Collections } from './collections.ts'
import type { DigestDocument } from './digest-document.ts'
import { isErased, isPast, type LimitsDocument, readLimits } from './limits.ts'
import { type Feeder, madeDigest } from './made-digest.ts'
import { markDirty } from './marks.ts'
import { readWhole, type Whole } from './read-whole.ts'
import { remove } from './remove.ts'

export interface DigesterOptions {
  readonly collections: Collections
  readonly feeder: Feeder
  /** Told what is to be made anew, once that is noted in the store. */
  readonly onDirty: (marks: readonly string[]) => void
}

/** So many interceptions, which may be large, are in memory at a time. */
const atOnce = 25
/** After so many rounds of others changing the same, it is left to whoever looks for what is stale. */
const rounds = 8

/**
 * Makes digests and texts of these interceptions anew where they are stale, or forgets what should not be there; then
 * marks what depends on them. In that order, and a step is done when the next begins: so whatever dies in between,
 * something is still marked as stale or dirty, and whoever does it again does the rest.
 */
export async function digest(ids: Iterable<string>, options: DigesterOptions): Promise<void> {
  let rest = [...ids]
  for (let round = 0; round < rounds && rest.length > 0; round++) {
    const again: string[] = []
    for (let from = 0; from < rest.length; from += atOnce)
      again.push(...(await digestSome(rest.slice(from, from + atOnce), options)))
    rest = again
    if (rest.length > 0) await forgetTexts(rest, options.collections)
  }
}

/** What was forgotten while its text was being made. */
async function forgetTexts(
  ids: readonly string[],
  { interceptions, texts }: Collections,
): Promise<void> {
  const there = await interceptions.distinct('_id', { _id: { $in: [...ids] } }, primary)
  const gone = ids.filter((id) => !there.includes(id))
  if (gone.length > 0) await texts.deleteMany({ _id: { $in: gone } })
}

/** Resolves to those that changed meanwhile. */
async function digestSome(
  ids: readonly string[],
  { collections, feeder, onDirty }: DigesterOptions,
): Promise<readonly string[]> {
  const { interceptions, digests } = collections
  const stale = { _id: { $in: [...ids] }, stale: true } as const
  const documents = await interceptions.find(stale, { readPreference: 'primary' }).toArray()
  if (documents.length === 0) return []
  // Read after what was written: who was to be forgotten before that is known here.
  const [limits, found, wholes] = await Promise.all([
    readLimits(collections),
    digests.find({ _id: { $in: documents.map(({ _id }) => _id) } }, primary).toArray(),
    readWhole(interceptions, documents),
  ])
  const old = new Map(found.map((each) => [each._id, each]))
  const byId = new Map(wholes.map((whole) => [whole.document._id, whole]))
  const known = ids.map((id) => byId.get(id)).filter((whole) => whole !== undefined)

  const kept: Whole[] = []
  const leaving = { pruned: [] as string[], erased: [] as string[] }
  for (const whole of known) {
    const { _id } = whole.document
    const fate = fateOf(whole, old.get(_id), limits)
    if (fate !== null) leaving[fate].push(_id)
    else kept.push(whole)
  }
  for (const fate of ['pruned', 'erased'] as const)
    if (leaving[fate].length > 0) onDirty(await remove(collections, leaving[fate], fate))
  return write(kept, old, collections, feeder, onDirty)
}

const primary = { readPreference: 'primary' } as const

async function write(
  wholes: readonly Whole[],
  old: ReadonlyMap<string, DigestDocument>,
  collections: Collections,
  feeder: Feeder,
  onDirty: DigesterOptions['onDirty'],
): Promise<readonly string[]> {
  const { interceptions, digests, texts } = collections
  const made = wholes
    .filter(({ stored }) => stored !== null)
    .map(({ document, stored }) =>
      madeDigest(
        { rev: document.rev ?? 0, stored: stored as StoredInterception },
        old.get(document._id),
        feeder,
      ),
    )
  // Before the digest, which says that it is there. One that fails was made from something newer.
  await tryUpserts(
    texts,
    made.map(({ text }) => text).filter((each) => each !== null),
  )
  const updates = made.map(({ digest }) => digest).filter((each) => each !== null)
  // In order, for the feed: who sees one of this process's sees all before it.
  if (updates.length > 0) {
    const written = await tryUpserts(digests, updates, { ordered: true })
    if (written < updates.length) return wholes.map(({ document }) => document._id)
  }
  const marks = [...new Set(made.flatMap(({ touches }) => touches))]
  await markDirty(collections, marks)
  onDirty(marks)
  const touched = made.filter(({ touches }) => touches.length > 0)
  await tryUpserts(
    digests,
    touched.map(({ id, rev }) => ({
      filter: { _id: id, rev },
      update: { $unset: { touches: '' } },
    })),
  )
  await tryUpserts(
    interceptions,
    wholes.map(({ document: { _id, rev } }) => ({
      filter: { _id, rev: rev ?? { $exists: false } },
      update: { $unset: { stale: '' } },
    })),
  )
  return changedMeanwhile(wholes, interceptions)
}

async function changedMeanwhile(
  wholes: readonly Whole[],
  interceptions: Collections['interceptions'],
): Promise<string[]> {
  if (wholes.length === 0) return []
  const filter = { _id: { $in: wholes.map(({ document }) => document._id) }, stale: true } as const
  const found = await interceptions.find(filter, { ...primary, projection: { _id: 1 } }).toArray()
  return found.map(({ _id }) => _id)
}

/** Why it may not be there; null where it may. */
function fateOf(
  { document, stored }: Whole,
  old: DigestDocument | undefined,
  limits: LimitsDocument,
): 'pruned' | 'erased' | null {
  if (document.doomed ?? old?.gone) return document.doomed ?? old?.gone ?? null
  if (stored && isErased(limits, stored.start)) return 'erased'
  return !stored && isPast(limits, document._id) ? 'pruned' : null
}
