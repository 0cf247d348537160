import type { Slices } from './chores.ts'
import type { Offer } from './linker.ts'
import type { StoreWriter } from './store-writer.ts'
import { soundTools } from './sums.ts'

/** How many rows are looked at in a step. */
const atOnce = 200

/** Drops what nothing that is recorded stands behind: interceptions without a record, summaries, texts, offers. */
export async function dropStrays(store: StoreWriter, slices: Slices): Promise<void> {
  const { database, linking, remove } = store
  await inPieces(
    store,
    slices,
    `SELECT id AS place, id,
       EXISTS (SELECT 1 FROM records WHERE interception_id = interceptions.id) AS known
     FROM interceptions WHERE id > ? ORDER BY id`,
    '',
    ({ id }) => remove(String(id)),
  )
  await inPieces(
    store,
    slices,
    `SELECT id AS place, id,
       EXISTS (SELECT 1 FROM records WHERE interception_id = summaries.id) AS known
     FROM summaries WHERE id > ? ORDER BY id`,
    '',
    ({ id }) => store.derived.touch(String(id)),
  )
  const dropText = database.prepare('DELETE FROM texts WHERE rowid = CAST(? AS INTEGER)')
  await inPieces(
    store,
    slices,
    `SELECT CAST(id AS TEXT) AS place,
       EXISTS (SELECT 1 FROM summaries WHERE key = texts_docsize.id) AS known
     FROM texts_docsize WHERE id > CAST(? AS INTEGER) ORDER BY texts_docsize.id`,
    lowest,
    ({ place }) => dropText.run(String(place)),
  )
  const nextOffers = database.prepare(`
    SELECT * FROM offers WHERE (initiator_id, key, started_at, interception_id) > (?, ?, ?, ?)
    ORDER BY initiator_id, key, started_at, interception_id LIMIT 20`)
  let last: [string, string, number, string] = ['', '', 0, '']
  await slices.each(() => {
    const offers = nextOffers.all(...last) as unknown as Offer[]
    for (const offer of offers) linking.examine(offer)
    const end = offers.at(-1)
    if (end) last = [end.initiator_id, end.key, end.started_at, end.interception_id]
    return end !== undefined
  })
}

/** Drops what lies beside summaries, once these are right: places in the feed, uses of tools. */
export async function dropStrayMarks(store: StoreWriter, slices: Slices): Promise<void> {
  const { database } = store
  const dropFeed = database.prepare('DELETE FROM feed WHERE seq = ?')
  await inPieces(
    store,
    slices,
    `SELECT seq AS place,
       EXISTS (SELECT 1 FROM summaries WHERE key = feed.key AND feed = seq) AS known
     FROM feed WHERE seq > ? ORDER BY seq`,
    0,
    ({ place }) => dropFeed.run(Number(place)),
  )
  const dropUse = database.prepare(
    'DELETE FROM tool_uses WHERE (tool, key) = (?, CAST(? AS INTEGER))',
  )
  const nextUses = database.prepare(`
    SELECT tool, CAST(tool_uses.key AS TEXT) AS key, EXISTS (
      SELECT 1 FROM summaries, json_each(${soundTools}) AS called JOIN names ON names.text = called.key
      WHERE summaries.key = tool_uses.key AND names.key = tool AND called.value = calls
        AND summaries.combo = tool_uses.combo) AS known
    FROM tool_uses WHERE (tool, key) > (?, CAST(? AS INTEGER)) ORDER BY tool, tool_uses.key
    LIMIT ${atOnce}`)
  let last: [number, string] = [0, lowest]
  await slices.each(() => {
    const rows = nextUses.all(...last)
    for (const row of rows) if (row.known === 0) dropUse.run(Number(row.tool), String(row.key))
    const end = rows.at(-1)
    if (end) last = [Number(end.tool), String(end.key)]
    return end !== undefined
  })
}

const lowest = String(-(2n ** 63n))

/** Goes through rows in order of their `place`, and drops those that are not `known`. */
async function inPieces(
  { database }: StoreWriter,
  slices: Slices,
  sql: string,
  first: string | number,
  drop: (row: Readonly<Record<string, unknown>>) => void,
): Promise<void> {
  const next = database.prepare(`${sql} LIMIT ${atOnce}`)
  let last = first
  await slices.each(() => {
    const rows = next.all(last)
    for (const row of rows) if (row.known === 0) drop(row)
    const end = rows.at(-1)?.place
    if (typeof end === 'string' || typeof end === 'number') last = end
    return rows.length > 0
  })
}
