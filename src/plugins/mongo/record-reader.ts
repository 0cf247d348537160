import type { Filter } from 'mongodb'
import type {
  InterceptionPage,
  InterceptionQuery,
  StoredInterception,
} from '../../core/recorder.ts'
import { storedInterception } from '../../core/stored-interception.ts'
import { annotationMember } from './annotation-member.ts'
import type { Interceptions } from './connection.ts'
import {
  furtherParts,
  type InterceptionDocument,
  partId,
  recordsIn,
} from './interception-document.ts'

/** One page of the list, newest first, and how many there are. */
export async function findInterceptions(
  interceptions: Interceptions,
  { limit = 100, offset = 0, ...query }: InterceptionQuery,
): Promise<InterceptionPage> {
  const filter = filterOf(query)
  const [count, documents] = await Promise.all([
    interceptions.countDocuments(filter),
    interceptions.find(filter).sort({ startedAt: -1, _id: -1 }).skip(offset).limit(limit).toArray(),
  ])
  return { count, results: await assemble(interceptions, documents) }
}

export async function findInterception(
  interceptions: Interceptions,
  id: string,
): Promise<StoredInterception | null> {
  const document = await interceptions.findOne({ _id: id })
  if (!document) return null
  const [stored] = await assemble(interceptions, [document])
  return stored ?? null
}

function filterOf({
  initiator,
  running = false,
  annotations = {},
}: InterceptionQuery): Filter<InterceptionDocument> {
  const wanted = annotationMember(annotations)
  return {
    // Both values named, so that an index that has `ended` before the time still gives the order.
    ended: running ? { $in: [true, false] } : true,
    // Not before its start is known, and no further parts.
    startedAt: { $gt: new Date(0) },
    ...(initiator === undefined
      ? {}
      : { $or: [{ initiatorId: initiator }, { initiatorUsername: initiator }] }),
    ...(wanted.length === 0 ? {} : { annotations: { $all: wanted } }),
  }
}

async function assemble(
  interceptions: Interceptions,
  documents: readonly InterceptionDocument[],
): Promise<StoredInterception[]> {
  const more = furtherParts(documents)
  const parts = more.length > 0 ? await interceptions.find({ _id: { $in: more } }).toArray() : []
  const byId = new Map(parts.map((part) => [part._id, part]))
  return documents
    .map((document) => {
      const own = Array.from({ length: (document.parts ?? 1) - 1 }, (_, index) =>
        byId.get(partId(document._id, index + 1)),
      )
      const all = [document, ...own.filter((part) => part !== undefined)]
      const stored = storedInterception(recordsIn(document._id, all))
      return stored && { ...stored, start: { ...stored.start, ...document.links } }
    })
    .filter((stored) => stored !== null)
}
