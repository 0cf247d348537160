import type { InterceptionStart, RecordOf } from '../../core/records.ts'
import type { ReindexReport } from '../../core/store.ts'
import type { Slices } from './chores.ts'
import { meta } from './meta.ts'
import { startWriter } from './record-writer.ts'
import { renewSums } from './renew-sums.ts'
import { startBody } from './start-body.ts'
import type { StoreWriter } from './store-writer.ts'
import { dropStrayMarks, dropStrays } from './strays.ts'
import { sweep } from './sweep.ts'

/**
 * Makes all that is derived anew from the records, whatever of it is missing or wrong, while others write: each
 * piece in a transaction of its own. What a step leaves wrong (figures that are differences of wrong ones) a later
 * one puts right: first interceptions and their summaries, then sessions of summaries, then sums of summaries.
 */
export async function reindex(store: StoreWriter, slices: Slices): Promise<ReindexReport> {
  const { database, derived } = store
  await slices.one(() => {
    // Names that are gone get other numbers: whoever has noted the old ones must ask again.
    const facts = meta(database)
    facts.set('epoch', (facts.number('epoch') ?? 0) + 1)
    derived.forgetNames()
  })
  await dropStrays(store, slices)
  const interceptions = await renewInterceptions(store, slices)
  await dropStrayMarks(store, slices)
  await renewSessions(store, slices)
  await renewHomeless(store, slices)
  await renewSums(store, slices)
  await sweep(store, slices)
  const count = database.prepare('SELECT count(*) AS n FROM sessions')
  return { interceptions, sessions: Number(count.get()?.n) }
}

/** Reads an interception's start, end and calls again, links it, and makes its summary. Tells whether it has a start. */
export function renewal({ database, derived, linking }: StoreWriter): (id: string) => boolean {
  const startOf = startBody(database)
  const endsOf = database.prepare(`
    SELECT body FROM records WHERE interception_id = ? AND type = 'interception_end' ORDER BY seq, id`)
  const putStart = startWriter(database)
  const put = database.prepare('INSERT OR IGNORE INTO interceptions (id) VALUES (?)')
  const noStart = database.prepare('UPDATE interceptions SET started_at = NULL WHERE id = ?')
  const putEnd = database.prepare(
    'UPDATE interceptions SET ended = ?, ended_at = ?, outcome = ?, reaped = ? WHERE id = ?',
  )

  return (id) => {
    const ends = endsOf.all(id).map(({ body }) => JSON.parse(String(body)) as End)
    const end = ends.findLast(({ reaped }) => !reaped) ?? ends.at(-1)
    const body = startOf(id)
    if (body === null && !end) {
      // Others of its records may come before its start; nothing is known of it yet.
      noStart.run(id)
    } else {
      put.run(id)
      if (body === null) noStart.run(id)
      else renewStart(id, JSON.parse(body) as InterceptionStart)
      const endedAt = end ? Date.parse(end.endedAt) : null
      putEnd.run(end ? 1 : 0, endedAt, end?.outcome ?? null, end?.reaped ? 1 : 0, id)
    }
    derived.touch(id)
    return body !== null
  }

  function renewStart(id: string, start: InterceptionStart): void {
    putStart(id, start)
    linking.started(id, start, false)
    // Also one that knows of nothing above it.
    linking.loosen(id)
  }
}

type End = RecordOf<'interception_end'>

async function renewInterceptions(store: StoreWriter, slices: Slices): Promise<number> {
  const next = store.database.prepare(
    'SELECT min(interception_id) AS id FROM records WHERE interception_id > ?',
  )
  const renew = renewal(store)
  // No text has this mark: all of it is written again.
  const forgetText = store.database.prepare('UPDATE summaries SET text_mark = -1 WHERE id = ?')
  let last = ''
  let count = 0
  await slices.each(() => {
    const id = next.get(last)?.id
    if (typeof id !== 'string') return false
    last = id
    forgetText.run(id)
    if (renew(id)) count++
    return true
  })
  return count
}

async function renewSessions({ database, derived }: StoreWriter, slices: Slices): Promise<void> {
  const next = database.prepare('SELECT key FROM sessions WHERE key > ? ORDER BY key LIMIT 1')
  let last = 0
  await slices.each(() => {
    const key = next.get(last)?.key
    if (key === undefined) return false
    last = Number(key)
    derived.rebuildSession(last)
    return true
  })
}

/** Where a session went by wrong figures before its interceptions were told. */
async function renewHomeless({ database, derived }: StoreWriter, slices: Slices): Promise<void> {
  const next = database.prepare(`
    SELECT session, CAST(key AS TEXT) AS key, id,
      EXISTS (SELECT 1 FROM sessions WHERE sessions.key = session) AS known
    FROM summaries WHERE (session, key) > (?, CAST(? AS INTEGER)) ORDER BY session, key LIMIT 1`)
  let session = 0
  let key = '-1'
  await slices.each(() => {
    const row = next.get(session, key)
    if (!row) return false
    session = Number(row.session)
    key = String(row.known === 1 ? 2n ** 63n - 1n : row.key)
    if (row.known === 0) derived.touch(String(row.id))
    return true
  })
}
