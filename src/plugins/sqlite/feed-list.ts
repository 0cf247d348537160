import type { DatabaseSync } from 'node:sqlite'
import type { FeedQuery } from '../../core/store.ts'
import { meta } from './meta.ts'

export interface FeedIds {
  readonly results: readonly { readonly cursor: string; readonly id: string }[]
  readonly cursor: string
  readonly gap: boolean
}

/** How many of others' are gone past at once. */
const maxLook = 20_000

/** What ended after the cursor, which names this store and a place in its order of ends. */
export function feedList(
  database: DatabaseSync,
  { after, visibleTo, limit = 100 }: FeedQuery,
): FeedIds {
  const facts = meta(database)
  const store = facts.text('store') ?? ''
  const last = Number(
    database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'feed'").get()?.seq ?? 0,
  )
  const cursor = (seq: unknown) => `${store}.${seq}`
  const now = { results: [], cursor: cursor(last), gap: false }
  if (after === undefined) return now
  const [, named, digits] = /^(.+)\.(\d{1,15})$/s.exec(after) ?? []
  const place = Number(digits)
  if (named !== store || !(place <= last)) return { ...now, gap: true }

  const next = database.prepare('SELECT 1 FROM feed WHERE seq = ?').get(place + 1)
  const gap = !next && place < (facts.number('forgotten_feed') ?? 0)
  const end = visibleTo === undefined ? last : Math.min(last, place + maxLook)
  const seen =
    visibleTo === undefined
      ? ''
      : `AND combo IN (
           SELECT key FROM combos WHERE initiator IN (SELECT key FROM initiators WHERE id = $visibleTo))`
  const rows = database
    .prepare(
      `SELECT seq, id FROM feed CROSS JOIN summaries ON summaries.key = feed.key
       WHERE seq > $place AND seq <= $end ${seen} ORDER BY seq LIMIT $more`,
    )
    .all({ place, end, more: limit + 1, ...(visibleTo !== undefined && { visibleTo }) })
  const results = rows
    .slice(0, limit)
    .map((row) => ({ cursor: cursor(row.seq), id: String(row.id) }))
  const goesOn = rows.length > limit ? results.at(-1)?.cursor : undefined
  return { results, cursor: goesOn ?? cursor(end), gap }
}
