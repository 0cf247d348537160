import { type Session, sessionOf } from '../../core/session.ts'
import type { VerifyReport } from '../../core/store.ts'
import { type Cell, cellsOf } from './cells.ts'
import type { Collections } from './collections.ts'
import { cellsIn } from './hour-document.ts'
import { idPages } from './id-pages.ts'
import { furtherParts, recordsIn } from './interception-document.ts'
import { madeDigest } from './made-digest.ts'
import { readWhole, type Whole } from './read-whole.ts'
import { summariesOf } from './roll.ts'
import { sessionIn } from './session-document.ts'
import { searchable } from './text-document.ts'
import type { Upkeep } from './upkeep.ts'

type Fault = 'parts' | 'digests' | 'texts' | 'lost' | 'sessions' | 'hours'

const told: Readonly<Record<Fault, (count: number) => string>> = {
  parts: (n) => `${n} interceptions lack some of their documents: restore them from a backup`,
  digests: (n) => `${n} interceptions are listed otherwise than they are stored: run reindex`,
  texts: (n) => `${n} interceptions cannot be found by their words: run reindex`,
  lost: (n) => `${n} interceptions are listed and not stored: run reindex`,
  sessions: (n) => `${n} sessions are not what their interceptions make them: run reindex`,
  hours: (n) => `the sums of ${n} hours are not those of their interceptions: run reindex`,
}

/** Reads all there is, and compares what was made from the records with what they make. */
export async function verify(collections: Collections, upkeep: Upkeep): Promise<VerifyReport> {
  await upkeep.settle()
  const report = { interceptions: 0, records: 0, open: 0, orphans: 0 }
  const faults: Record<Fault, number> = {
    parts: 0,
    digests: 0,
    texts: 0,
    lost: 0,
    sessions: 0,
    hours: 0,
  }
  const sessions = new Set<string>()
  const hours = new Set<string>()
  const { interceptions, digests } = collections
  for await (const ids of idPages(interceptions, { of: { $exists: false } })) {
    const documents = await interceptions.find({ _id: { $in: ids } }).toArray()
    const wholes = await readWhole(interceptions, documents)
    const made = await digests.find({ _id: { $in: ids } }).toArray()
    const digestOf = new Map(made.map((digest) => [digest._id, digest]))
    const worded = new Set(await collections.texts.distinct('_id', { _id: { $in: ids } }))
    for (const whole of wholes) {
      const { document, parts, stored } = whole
      if (document.doomed) continue
      report.records += new Set(recordsIn(document._id, parts).map(({ id }) => id)).size
      if (parts.length - 1 < furtherParts([document]).length) faults.parts++
      if (!stored) {
        report.orphans++
        continue
      }
      report.interceptions++
      if (!stored.end) report.open++
      const digest = digestOf.get(document._id)
      // Somebody is at it.
      if (!document.stale && !isSame(whole, digest)) faults.digests++
      if (!document.stale && !worded.has(document._id) && searchable(stored).text !== '')
        faults.texts++
      if (digest?.ended) {
        sessions.add(String(digest.session))
        hours.add(String(digest.hour))
      }
    }
  }
  for await (const ids of idPages(digests, { gone: { $exists: false } })) {
    const there = await interceptions.distinct('_id', { _id: { $in: ids } })
    faults.lost += ids.length - there.length
  }
  faults.sessions = await wrongSessions(collections, sessions)
  faults.hours = await wrongHours(collections, hours)
  return {
    ...report,
    sessions: await collections.sessions.countDocuments({ lastActiveAt: { $exists: true } }),
    faults: Object.entries(faults)
      .filter(([, count]) => count > 0)
      .map(([fault, count]) => told[fault as Fault](count)),
  }
}

/** The digest has what would be written if it were made now. */
function isSame({ document, stored }: Whole, digest: Parameters<typeof madeDigest>[1]): boolean {
  if (!stored || !digest) return false
  const older = { ...digest, rev: -1 }
  return madeDigest({ rev: document.rev ?? 0, stored }, older, silent).same
}

const silent = { id: '', next: () => 0 }

/** Counts those that are there and should not be, differ, or are missing; not those that are yet to be made. */
async function wrongSessions(collections: Collections, wanted: Set<string>): Promise<number> {
  let wrong = 0
  for await (const ids of idPages(collections.sessions)) {
    const found = await collections.sessions.find({ _id: { $in: ids } }).toArray()
    for (const document of found) {
      wanted.delete(document._id)
      if (document.dirty !== undefined) continue
      const summaries = await summariesOf(collections, { session: document._id, ended: true })
      if (!agrees(() => withoutPrompt(sessionOf(summaries)) === withoutPrompt(sessionIn(document))))
        wrong++
    }
  }
  return wrong + wanted.size
}

/** What cannot even be read does not. */
function agrees(compare: () => boolean): boolean {
  try {
    return compare()
  } catch {
    return false
  }
}

/** The digests from which it is made again are without texts. */
function withoutPrompt(session: Session | null): string {
  return JSON.stringify(session && { ...session, lastPrompt: session.lastPrompt !== null })
}

async function wrongHours(collections: Collections, wanted: Set<string>): Promise<number> {
  let wrong = 0
  for await (const ids of idPages(collections.hours)) {
    const found = await collections.hours.find({ _id: { $in: ids } }).toArray()
    for (const document of found) {
      wanted.delete(document._id)
      if (document.dirty !== undefined) continue
      const summaries = await summariesOf(collections, { hour: document._id, ended: true })
      if (!agrees(() => inOrder(cellsOf(summaries)) === inOrder(cellsIn(document)))) wrong++
    }
  }
  return wrong + wanted.size
}

function inOrder(cells: readonly Cell[]): string {
  return cells
    .map((cell) => JSON.stringify(cell))
    .sort()
    .join('\n')
}
