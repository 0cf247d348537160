import { keeping, type Links, linksOf, type Relative } from '../../core/links.ts'
import type { Interceptions } from './collections.ts'
import type { RecordGroup } from './grouped-records.ts'
import type { InterceptionDocument } from './interception-document.ts'
import { offerOf } from './link-members.ts'
import { findBegun, newestOffering, relativeOf, waitingFor } from './relatives.ts'

/**
 * Brings the links up to date of what was just written, of those that waited for it and of all below. Several
 * processes may do so at once: what is written is read again, so that one which computed with what is no
 * longer so sees it; and who changes something afterwards finds this one below it. Resolves to those that changed.
 */
export async function link(
  interceptions: Interceptions,
  news: LinkingNews,
): Promise<ReadonlySet<string>> {
  const all = new Set<string>()
  let loose = await loosened(interceptions, news)
  while (loose.size > 0) {
    const changed = await changes(interceptions, loose)
    if (changed.size === 0) return all
    const operations = [...changed].map(([id, links]) => {
      const above = links.threadParentId === null ? {} : { above: links.threadParentId }
      const update = links.threadParentId === null ? {} : { $addToSet: above }
      const set = { $set: { links, stale: true as const }, $inc: { rev: 1 } }
      return { updateOne: { filter: { _id: id }, update: { ...set, ...update } } }
    })
    await interceptions.bulkWrite(operations, { ordered: false })
    const ids = [...changed.keys()]
    for (const id of ids) all.add(id)
    loose = new Set([...ids, ...(await below(interceptions, ids))])
  }
  return all
}

/** What links depend on in what was written: which interceptions began, and what calls they made. */
export interface LinkingNews {
  readonly started: ReadonlySet<string>
  readonly called: ReadonlyMap<string, readonly string[]>
}

export function linkingNews(groups: ReadonlyMap<string, RecordGroup>): LinkingNews {
  const started = new Set<string>()
  const called = new Map<string, string[]>()
  for (const [id, { records }] of groups) {
    for (const record of records.values()) {
      if (record.type === 'interception_start') started.add(id)
      if (record.type === 'tool_usage') called.set(id, [...(called.get(id) ?? []), offerOf(record)])
    }
  }
  return { started, called }
}

/** The interceptions whose links a batch may have changed; it is stored by now. */
async function loosened(
  interceptions: Interceptions,
  { started, called }: LinkingNews,
): Promise<Set<string>> {
  const begun = await findBegun(interceptions, [...new Set([...started, ...called.keys()])])
  const offers = begun.flatMap((document) => {
    const { _id, offers = [], sessionKey } = document
    // Calls that came before the start could not be looked for then.
    const keys = started.has(_id) ? offers : (called.get(_id) ?? [])
    if (keys.length === 0) return []
    return [{ document, keys: sessionKey ? [...keys, sessionKey] : keys }]
  })
  const [under, waiting] = await Promise.all([
    below(interceptions, [...started]),
    waitingFor(interceptions, offers),
  ])
  return new Set([...started, ...under, ...waiting])
}

/** The new links of those whose links are not what they ought to be. */
async function changes(
  interceptions: Interceptions,
  ids: ReadonlySet<string>,
): Promise<Map<string, Links>> {
  const documents = await findBegun(interceptions, [...ids])
  const named = documents.flatMap(({ lineage }) => [lineage.retryOf, lineage.threadParentId])
  const wanting = documents.filter(({ wants, kept }) => wants && !kept)
  const [others, offering] = await Promise.all([
    findBegun(interceptions, [...new Set(named.filter((id) => id !== null))]),
    Promise.all(
      wanting.map(async (document): Promise<[string, Relative | null]> => {
        return [document._id, await newestOffering(interceptions, document)]
      }),
    ),
  ])
  const relatives = new Map(others.map((other) => [other._id, relativeOf(other)]))
  const newest = new Map(offering)
  const changed = new Map<string, Links>()
  for (const { _id, lineage, links, kept } of documents) {
    const found = linksOf(_id, kept ? keeping(lineage, kept) : lineage, {
      find: (other) => relatives.get(other) ?? null,
      newest: () => newest.get(_id) ?? null,
    })
    if (!sameLinks(found, links ?? lineage)) changed.set(_id, found)
  }
  return changed
}

async function below(interceptions: Interceptions, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const options = { projection: { _id: 1 }, readPreference: 'primary' } as const
  const found = await interceptions.find({ above: { $in: [...ids] } }, options).toArray()
  return found.map(({ _id }) => _id)
}

function sameLinks(a: Links, b: NonNullable<InterceptionDocument['links']>): boolean {
  return (
    a.threadParentId === b.threadParentId &&
    a.threadRootId === b.threadRootId &&
    a.sessionId === b.sessionId
  )
}
