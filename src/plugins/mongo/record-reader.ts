import { SluiceError } from '../../core/errors.ts'
import type {
  InterceptionPage,
  InterceptionQuery,
  StoredInterception,
} from '../../core/recorder.ts'
import type { Collections } from './collections.ts'
import type { Counts } from './counts.ts'
import { interceptionFilter } from './filters.ts'
import { readWhole } from './read-whole.ts'

/** One page of the list, and how many there are. */
export async function findInterceptions(
  collections: Collections,
  counts: Counts,
  { limit = 100, offset = 0, after, sort = 'newest', ...query }: InterceptionQuery,
): Promise<InterceptionPage> {
  const filter = interceptionFilter(query)
  const bounded = query.search !== undefined
  // Digests and texts have the same facets.
  const collection = (bounded ? collections.texts : collections.digests) as Collections['digests']
  const direction = sort === 'newest' ? -1 : 1
  const beyond = after === undefined ? {} : await behind(collections, after, direction, query)
  const [counted, found] = await Promise.all([
    counts.count(collection, filter, { bounded }),
    collection
      .find({ $and: [filter, beyond] }, { projection: { _id: 1 } })
      .sort({ startedAt: direction, _id: direction })
      .skip(offset)
      .limit(limit)
      .toArray(),
  ])
  return {
    ...counted,
    results: await findAll(
      collections,
      found.map(({ _id }) => _id),
    ),
  }
}

export async function findInterception(
  collections: Collections,
  id: string,
): Promise<StoredInterception | null> {
  const [found] = await findAll(collections, [id])
  return found ?? null
}

/** Those of these that are there, in this order. */
export async function findAll(
  { interceptions }: Pick<Collections, 'interceptions'>,
  ids: readonly string[],
): Promise<StoredInterception[]> {
  if (ids.length === 0) return []
  const documents = await interceptions
    .find({ _id: { $in: [...ids] }, doomed: { $exists: false } })
    .toArray()
  const wholes = await readWhole(interceptions, documents)
  const byId = new Map(wholes.map(({ document, stored }) => [document._id, stored]))
  return ids.map((id) => byId.get(id)).filter((stored) => stored !== null && stored !== undefined)
}

/** What comes after an interception that whoever asks may see. */
async function behind(
  { digests }: Collections,
  after: string,
  direction: 1 | -1,
  { visibleTo }: InterceptionQuery,
) {
  const filter = interceptionFilter({
    running: true,
    ...(visibleTo !== undefined && { visibleTo }),
  })
  const last = await digests.findOne({ $and: [{ _id: after }, filter] })
  if (!last?.startedAt) {
    throw new SluiceError(
      `there is no interception "${after}" to go on from; begin at the first page`,
      {
        code: 'ERR_CURSOR',
        status: 400,
      },
    )
  }
  const further = direction === 1 ? '$gt' : '$lt'
  const { startedAt } = last
  return {
    startedAt: { [`${further}e`]: startedAt },
    $or: [{ startedAt: { [further]: startedAt } }, { startedAt, _id: { [further]: after } }],
  }
}
