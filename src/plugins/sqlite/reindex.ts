import { endId } from '../../core/ids.ts'
import { parseJson } from '../../core/json.ts'
import type { DamagedRecord } from '../../core/recorder.ts'
import type { InterceptionStart, RecordOf } from '../../core/records.ts'
import { isSoundBody } from '../../core/sound-record.ts'
import type { ReindexReport } from '../../core/store.ts'
import type { Slices } from './chores.ts'
import type { DamagedParts } from './file-faults.ts'
import { meta } from './meta.ts'
import { renewSums } from './renew-sums.ts'
import { startWriter } from './start-writer.ts'
import type { StoreWriter } from './store-writer.ts'
import { storedStart } from './stored-start.ts'
import { dropStrayMarks, dropStrays } from './strays.ts'
import { sweep } from './sweep.ts'

/**
 * Makes all that is derived anew from the records, whatever of it is missing or wrong, while others write: each
 * piece in a transaction of its own. What a step leaves wrong (figures that are differences of wrong ones) a later
 * one puts right: first interceptions and their summaries, then sessions of summaries, then sums of summaries.
 */
export async function reindex(
  store: StoreWriter,
  slices: Slices,
  broken: DamagedParts,
): Promise<Reindexed> {
  const { database, derived, damaged } = store
  damaged.clear()
  await slices.one(() => {
    // Names that are gone get other numbers: whoever has noted the old ones must ask again.
    const facts = meta(database)
    facts.set('epoch', (facts.number('epoch') ?? 0) + 1)
    derived.forgetNames()
    // Places in the feed are never given twice.
    database.exec(`
      INSERT INTO sqlite_sequence (name, seq)
        SELECT 'feed', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'feed');
      UPDATE sqlite_sequence SET seq = max(
        CAST(seq AS INTEGER), coalesce((SELECT max(seq) FROM feed), 0),
        coalesce((SELECT max(feed) FROM summaries WHERE feed < 1 << 52), 0))
      WHERE name = 'feed'`)
    if (broken.indexes) database.exec('REINDEX')
    // Text after text is written again below, which needs an index that can be.
    if (broken.texts) database.exec("INSERT INTO texts (texts) VALUES ('delete-all')")
  })
  await dropStrays(store, slices)
  const interceptions = await renewInterceptions(store, slices)
  await dropStrayMarks(store, slices)
  await renewSessions(store, slices)
  await renewHomeless(store, slices)
  await renewSums(store, slices)
  await sweep(store, slices)
  const count = database.prepare('SELECT count(*) AS n FROM sessions')
  return {
    interceptions,
    sessions: Number(count.get()?.n),
    damagedRecords: [...damaged],
  }
}

export interface Reindexed extends ReindexReport {
  /** What could not be read, by interception. */
  readonly damagedRecords: readonly (readonly [id: string, records: readonly DamagedRecord[]])[]
}

/** Reads an interception's start, end and calls again, links it, and makes its summary. Tells whether it has a start. */
export function renewal({
  database,
  derived,
  linking,
  salvaged,
}: StoreWriter): (id: string) => boolean {
  const startOf = storedStart(database, salvaged)
  const endsOf = database.prepare(`
    SELECT body FROM records
    WHERE interception_id = ?1 AND (type = 'interception_end' OR id = ?2) ORDER BY seq, id`)
  const putStart = startWriter(database)
  const put = database.prepare('INSERT OR IGNORE INTO interceptions (id) VALUES (?)')
  const noStart = database.prepare('UPDATE interceptions SET started_at = NULL WHERE id = ?')
  const putEnd = database.prepare(
    'UPDATE interceptions SET ended = ?, ended_at = ?, outcome = ?, reaped = ? WHERE id = ?',
  )

  return (id) => {
    const end = endOf(id)
    const start = startOf(id)
    if (start === null && !end) {
      // Others of its records may come before its start; nothing is known of it yet.
      noStart.run(id)
    } else {
      put.run(id)
      if (start === null) noStart.run(id)
      else renewStart(id, start)
      const endedAt = end ? Date.parse(end.endedAt) : null
      putEnd.run(end ? 1 : 0, endedAt, end?.outcome ?? null, end?.reaped ? 1 : 0, id)
    }
    derived.touch(id)
    return start !== null
  }

  function endOf(id: string): End | undefined {
    const bodies = endsOf.all(id, endId(id)).map(({ body }) => parseJson(String(body)))
    const ends = bodies.every((body) => isSoundBody('interception_end', body))
      ? (bodies as unknown as End[])
      : salvaged(id).records.filter((record) => record.type === 'interception_end')
    return ends.findLast(({ reaped }) => !reaped) ?? ends.at(-1)
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
  // Also of those records from which nothing is derived.
  const isDamaged = store.database.prepare(
    'SELECT 1 FROM records WHERE interception_id = ? AND NOT json_valid(body) LIMIT 1',
  )
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
    if (isDamaged.get(id)) store.salvaged(id)
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
