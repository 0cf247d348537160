import type { Collection } from 'mongodb'
import { type Session, sessionOf } from '../../core/session.ts'
import type { Summary } from '../../core/summary.ts'
import { cellsOf } from './cells.ts'
import type { Collections } from './collections.ts'
import { type DigestDocument, summaryIn } from './digest-document.ts'
import { type HourDocument, hourOf } from './hour-document.ts'
import { type SessionDocument, sessionDocument } from './session-document.ts'

/** Makes the session or hour that a mark names anew, until nothing came in between. */
export async function roll(collections: Collections, mark: string): Promise<void> {
  const key = mark.slice(2)
  for (let attempt = 0; attempt < 5; attempt++) {
    const done = mark.startsWith('s ')
      ? await replace(collections.sessions, key, () => madeSession(collections, key))
      : await replace(collections.hours, key, () => madeHour(collections, key))
    if (done) return
  }
}

/** First what it is called for, then what it is made from: so nothing is taken for seen that was not. */
async function replace<T extends SessionDocument | HourDocument>(
  documents: Collection<T>,
  key: string,
  make: () => Promise<T | null>,
): Promise<boolean> {
  // The two kinds have these members in common; the driver's types cannot say so.
  const collection = documents as unknown as Collection<SessionDocument>
  const found = await collection.findOne(
    { _id: key },
    { projection: { dirty: 1 }, readPreference: 'primary' },
  )
  if (found?.dirty === undefined) return true
  const filter = { _id: key, dirty: found.dirty }
  const made = (await make()) as SessionDocument | null
  if (!made) return (await collection.deleteOne(filter)).deletedCount === 1
  const { _id, ...replacement } = made
  return (await collection.replaceOne(filter, replacement)).matchedCount === 1
}

async function madeSession(collections: Collections, key: string): Promise<SessionDocument | null> {
  const summaries = await summariesOf(collections, { session: key, ended: true })
  const session = sessionOf(summaries)
  if (!session) return null
  return sessionDocument(key, {
    ...session,
    lastPrompt: await lastPrompt(collections, summaries, session),
  })
}

/** The digests are without texts. */
async function lastPrompt(
  { texts }: Collections,
  summaries: readonly Summary[],
  { lastPrompt, lastActiveAt }: Session,
): Promise<string | null> {
  if (lastPrompt === null) return null
  const newest = summaries
    .filter((summary) => summary.lastPrompt?.at === lastActiveAt)
    .reduce((a, b) => ((a.lastPrompt?.id ?? '') < (b.lastPrompt?.id ?? '') ? b : a))
  const options = { projection: { prompt: 1 }, readPreference: 'primary' } as const
  return (await texts.findOne({ _id: newest.id }, options))?.prompt ?? ''
}

async function madeHour(collections: Collections, key: string): Promise<HourDocument | null> {
  const summaries = await summariesOf(collections, { hour: key, ended: true })
  const [first] = summaries
  if (!first) return null
  return {
    _id: key,
    initiatorId: first.initiatorId,
    hour: hourOf(new Date(first.startedAt)),
    cells: JSON.stringify(cellsOf(summaries)),
  }
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
