import type { StoredInterception } from '../../core/recorder.ts'
import { storedInterception } from '../../core/stored-interception.ts'
import type { Interceptions } from './collections.ts'
import {
  furtherParts,
  type InterceptionDocument,
  partId,
  recordsIn,
} from './interception-document.ts'

/** An interception's first document, all of them, and what they hold; null without its start. */
export interface Whole {
  readonly document: InterceptionDocument
  readonly parts: readonly InterceptionDocument[]
  readonly stored: StoredInterception | null
}

/** Puts interceptions together of which the first documents are given. */
export async function readWhole(
  interceptions: Interceptions,
  documents: readonly InterceptionDocument[],
): Promise<Whole[]> {
  const more = furtherParts(documents)
  const found =
    more.length > 0
      ? await interceptions.find({ _id: { $in: more } }, { readPreference: 'primary' }).toArray()
      : []
  const byId = new Map(found.map((part) => [part._id, part]))
  return documents.map((document) => {
    const own = Array.from({ length: (document.parts ?? 1) - 1 }, (_, index) =>
      byId.get(partId(document._id, index + 1)),
    )
    const parts = [document, ...own.filter((part) => part !== undefined)]
    const stored = storedInterception(recordsIn(document._id, parts))
    return {
      document,
      parts,
      stored: stored && { ...stored, start: { ...stored.start, ...document.links } },
    }
  })
}
