import { type Session, sessionOf } from '../../core/session.ts'
import type { Summary } from '../../core/summary.ts'
import { cellsOf } from './cells.ts'
import type { Collections } from './collections.ts'
import { type DigestDocument, summaryIn } from './digest-document.ts'
import { hourDocument } from './hour-document.ts'
import { sessionDocument } from './session-document.ts'

/** Makes the sessions and hours that marks name anew, until nothing came in between. */
export async function roll(collections: Collections, marks: readonly string[]): Promise<void> {
  const { sessions, hours } = collections
  const keys = (kind: string) =>
    marks.filter((mark) => mark.startsWith(kind)).map((mark) => mark.slice(2))
  await Promise.all([
    replace(sessions, keys('s '), (wanted) => madeSessions(collections, wanted)),
    // The two kinds have in common what is needed here; the driver's types cannot say so.
    replace(hours as unknown as typeof sessions, keys('h '), (wanted) =>
      madeHours(collections, wanted),
    ),
  ])
}

const attempts = 5

/** First what they are called for, then what they are made from: so nothing is taken for seen that was not. */
async function replace(
  documents: Collections['sessions'],
  keys: readonly string[],
  make: (keys: readonly string[]) => Promise<ReadonlyMap<string, object>>,
): Promise<void> {
  for (let attempt = 0, left = keys; attempt < attempts && left.length > 0; attempt++) {
    const filter = { _id: { $in: [...left] }, dirty: { $exists: true } }
    const found = await documents
      .find(filter, { projection: { dirty: 1 }, readPreference: 'primary' })
      .toArray()
    if (found.length === 0) return
    const made = await make(found.map(({ _id }) => _id))
    const { matchedCount, deletedCount } = await documents.bulkWrite(
      found.map(({ _id, dirty = '' }) => {
        const replacement = made.get(_id)
        const filter = { _id, dirty }
        return replacement ? { replaceOne: { filter, replacement } } : { deleteOne: { filter } }
      }),
      { ordered: false },
    )
    if (matchedCount + deletedCount === found.length) return
    left = found.map(({ _id }) => _id)
  }
}

async function madeSessions(
  collections: Collections,
  keys: readonly string[],
): Promise<Map<string, object>> {
  const grouped = await groupedSummaries(collections, 'session', keys)
  const sessions = [...grouped].flatMap(([key, summaries]) => {
    const session = sessionOf(summaries)
    return session ? [{ key, session, newest: newestPrompt(summaries, session) }] : []
  })
  const prompts = await promptsOf(
    collections,
    sessions.flatMap(({ newest }) => (newest === null ? [] : [newest])),
  )
  return new Map(
    sessions.map(({ key, session, newest }) => {
      const lastPrompt = newest === null ? null : (prompts.get(newest) ?? '')
      const { _id, ...document } = sessionDocument(key, { ...session, lastPrompt })
      return [key, document]
    }),
  )
}

/** The interception with the session's last prompt. */
function newestPrompt(
  summaries: readonly Summary[],
  { lastPrompt, lastActiveAt }: Session,
): string | null {
  if (lastPrompt === null) return null
  return summaries
    .filter((summary) => summary.lastPrompt?.at === lastActiveAt)
    .reduce((a, b) => ((a.lastPrompt?.id ?? '') < (b.lastPrompt?.id ?? '') ? b : a)).id
}

/** The digests are without texts. */
async function promptsOf(
  { texts }: Collections,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const options = { projection: { prompt: 1 }, readPreference: 'primary' } as const
  const found = await texts.find({ _id: { $in: [...ids] } }, options).toArray()
  return new Map(found.map(({ _id, prompt = '' }) => [_id, prompt]))
}

async function madeHours(
  collections: Collections,
  keys: readonly string[],
): Promise<Map<string, object>> {
  const grouped = await groupedSummaries(collections, 'hour', keys)
  return new Map(
    [...grouped].flatMap(([key, summaries]) => {
      const [first] = summaries
      if (!first) return []
      const { _id, ...document } = hourDocument(key, first, cellsOf(summaries))
      return [[key, document]]
    }),
  )
}

async function groupedSummaries(
  { digests }: Collections,
  member: 'session' | 'hour',
  keys: readonly string[],
): Promise<Map<string, Summary[]>> {
  const filter = { [member]: { $in: [...keys] }, ended: true }
  const projection = { _id: 0, summary: 1, [member]: 1 } as const
  const found = await digests.find(filter, { projection, readPreference: 'primary' }).toArray()
  const grouped = new Map<string, Summary[]>()
  for (const digest of found) {
    const summary = summaryIn(digest as Pick<DigestDocument, 'summary'>)
    const key = String(digest[member])
    const own = grouped.get(key) ?? []
    if (summary) own.push(summary)
    grouped.set(key, own)
  }
  return grouped
}

export async function summariesOf(
  { digests }: Collections,
  filter: Parameters<Collections['digests']['find']>[0],
): Promise<Summary[]> {
  const options = { projection: { _id: 0, summary: 1 }, readPreference: 'primary' } as const
  const found = await digests.find(filter, options).toArray()
  return found
    .map((digest) => summaryIn(digest as Pick<DigestDocument, 'summary'>))
    .filter((summary) => summary !== null)
}
