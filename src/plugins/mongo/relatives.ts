import type { Filter } from 'mongodb'
import { maxAge, type Relative } from '../../core/links.ts'
import type { Interceptions } from './collections.ts'
import type { InterceptionDocument } from './interception-document.ts'

/** An interception whose start is known, with what links depend on. */
export type Begun = InterceptionDocument & Required<Pick<InterceptionDocument, 'lineage'>>

interface Offer {
  readonly document: Begun
  readonly keys: readonly string[]
}

/** How many keys one query looks for. */
const keysAtOnce = 1000
const projection = { lineage: 1, wants: 1, sessionKey: 1, offers: 1, links: 1, kept: 1 } as const
// A secondary may not have yet what was just written.
const readPreference = 'primary' as const

/** Those of these interceptions whose start is stored. */
export async function findBegun(
  interceptions: Interceptions,
  ids: readonly string[],
): Promise<Begun[]> {
  if (ids.length === 0) return []
  const filter = { _id: { $in: [...ids] } }
  const found = await interceptions.find(filter, { projection, readPreference }).toArray()
  return found.filter((document) => isBegun(document))
}

/** The last one that offers what this one wants, of those before it. */
export async function newestOffering(
  interceptions: Interceptions,
  { _id, lineage, wants }: Begun,
): Promise<Relative | null> {
  const { initiatorId, startedAt, correlatingToolCallId } = lineage
  const at = Date.parse(startedAt)
  const key = String(wants)
  const found = await interceptions.findOne(
    {
      initiatorId,
      ...(correlatingToolCallId ? { offers: key } : { sessionKey: key, offers: { $exists: true } }),
      startedAt: { $gte: new Date(at - maxAge), $lte: new Date(at) },
      $or: [{ startedAt: { $lt: new Date(at) } }, { _id: { $lt: _id } }],
    },
    { sort: { startedAt: -1, _id: -1 }, projection: { lineage: 1, links: 1 }, readPreference },
  )
  return found && isBegun(found) ? relativeOf(found) : null
}

/** The ids of those that may go on from what these offer. */
export async function waitingFor(
  interceptions: Interceptions,
  offers: readonly Offer[],
): Promise<string[]> {
  const ids: string[] = []
  for (const [initiatorId, own] of Map.groupBy(offers, ({ document }) => initiatorOf(document))) {
    const times = own.map(({ document }) => Date.parse(document.lineage.startedAt))
    const [first, last] = [Math.min(...times), Math.max(...times) + maxAge]
    const keys = [...new Set(own.flatMap((offer) => offer.keys))]
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const filter: Filter<InterceptionDocument> = {
        initiatorId,
        wants: { $in: keys.slice(from, from + keysAtOnce) },
        startedAt: { $gte: new Date(first), $lte: new Date(last) },
      }
      const options = { projection: { _id: 1 }, readPreference } as const
      for (const { _id } of await interceptions.find(filter, options).toArray()) ids.push(_id)
    }
  }
  return ids
}

export function relativeOf({ _id, lineage, links }: Begun): Relative {
  return { id: _id, start: lineage, links: links ?? lineage }
}

function isBegun(document: InterceptionDocument): document is Begun {
  return document.lineage !== undefined
}

function initiatorOf({ lineage }: Begun): string {
  return lineage.initiatorId
}
