import { randomUUID } from 'node:crypto'
import { bulkUpsert } from './bulk-upsert.ts'
import type { Collections } from './collections.ts'
import type { DigestDocument } from './digest-document.ts'

/** Names a session or an hour: what is to be made anew when one of its interceptions changes. */
export type Mark = `s ${string}` | `h ${string}`

/** What this digest counts for. */
export function marksOf({
  ended,
  session,
  hour,
}: Pick<DigestDocument, 'ended' | 'session' | 'hour'>): Mark[] {
  if (!ended || session === undefined || hour === undefined) return []
  return [`s ${session}`, `h ${hour}`]
}

/** Says that these are to be made anew; whoever is at it sees that something came in between. */
export async function markDirty(
  { sessions, hours }: Collections,
  marks: Iterable<string>,
): Promise<void> {
  const dirty = randomUUID()
  const updates = (kind: string) =>
    [...new Set(marks)]
      .filter((mark) => mark.startsWith(kind))
      .map((mark) => ({
        filter: { _id: mark.slice(2) },
        update: { $set: { dirty } },
        upsert: true,
      }))
  const [sessionUpdates, hourUpdates] = [updates('s '), updates('h ')]
  await bulkUpsert(sessions, sessionUpdates)
  await bulkUpsert(hours, hourUpdates)
}
