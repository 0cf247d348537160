import type { EraseQuery, EraseReport } from '../../core/store.ts'
import type { Slices } from './chores.ts'
import { markOf } from './limits.ts'
import { meta } from './meta.ts'
import type { StoreWriter } from './store-writer.ts'
import { sweep } from './sweep.ts'

/** Forgets an initiator: first that nothing of it is taken any more, then what is stored, then what is left on disk. */
export async function erase(
  store: StoreWriter,
  slices: Slices,
  { initiator, before, dryRun = false }: EraseQuery,
): Promise<EraseReport> {
  const { database, remove } = store
  const until = before === undefined ? Date.now() : Date.parse(before)
  const ids = initiatorIds(store, initiator)
  const next = database.prepare(`
    SELECT summaries.id FROM initiators CROSS JOIN combos ON combos.initiator = initiators.key
      CROSS JOIN summaries INDEXED BY summaries_by_combo ON combo = combos.key
    WHERE initiators.id = ? AND summaries.key < (? + 1) << 20 LIMIT 1`)
  const open = database.prepare(`
    SELECT id FROM interceptions WHERE ended = 0 AND initiator_id = ? AND started_at <= ? LIMIT 1`)
  if (dryRun) return { interceptions: countOf(store, ids, until), initiatorIds: ids }

  await slices.one(() => bury(store, ids, until))
  const remember = database.prepare('INSERT OR IGNORE INTO erased VALUES (?)')
  let interceptions = 0
  for (const id of ids) {
    await slices.each(() => {
      const found = next.get(id, until)?.id ?? open.get(id, until)?.id
      if (found === undefined) return false
      remember.run(String(found))
      remove(String(found))
      interceptions++
      return true
    })
  }
  await sweep(store, slices)
  if (interceptions > 0) await wipe(store, slices)
  return { interceptions, initiatorIds: ids }
}

/** Of nobody known it is the id of one whose records may be on their way. */
function initiatorIds({ database }: StoreWriter, initiator: string): string[] {
  const found = database
    .prepare(
      `SELECT id FROM initiators WHERE id = $initiator OR username = $initiator
       UNION SELECT initiator_id FROM interceptions
         WHERE ended = 0 AND (initiator_id = $initiator OR initiator_username = $initiator)`,
    )
    .all({ initiator })
    .map(({ id }) => String(id))
  return found.length > 0 ? found.sort() : [initiator]
}

function countOf({ database }: StoreWriter, ids: readonly string[], until: number): number {
  const row = database
    .prepare(
      `SELECT (
         SELECT count(*) FROM initiators CROSS JOIN combos ON combos.initiator = initiators.key
           CROSS JOIN summaries INDEXED BY summaries_by_combo ON combo = combos.key
         WHERE initiators.id IN (SELECT value FROM json_each($ids))
           AND summaries.key < ($until + 1) << 20
       ) + (
         SELECT count(*) FROM interceptions
         WHERE ended = 0 AND initiator_id IN (SELECT value FROM json_each($ids))
           AND started_at <= $until
       ) AS n`,
    )
    .get({ ids: JSON.stringify(ids), until })
  return Number(row?.n)
}

function bury({ database }: StoreWriter, ids: readonly string[], until: number): void {
  const put = database.prepare(`
    INSERT INTO tombstones VALUES (?, ?)
    ON CONFLICT (initiator) DO UPDATE SET before = max(before, excluded.before)`)
  for (const id of ids) put.run(markOf(id), until)
  const facts = meta(database)
  facts.set('epoch', (facts.number('epoch') ?? 0) + 1)
}

/** Pages of the text index that a merge reads and writes in a slice. */
const mergePages = 64

/** What was deleted is zeroed where it stood (`secure_delete`); the text index and the log still have it. */
async function wipe({ database }: StoreWriter, slices: Slices): Promise<void> {
  const changes = database.prepare('SELECT total_changes() AS n')
  const merge = database.prepare("INSERT INTO texts (texts, rank) VALUES ('merge', ?)")
  // A negative count begins with all of the index, whatever it looks like; the ones after go on with it.
  let pages = -mergePages
  await slices.each(() => {
    const before = Number(changes.get()?.n)
    merge.run(pages)
    pages = mergePages
    // Less than two changes: nothing was left to merge (https://sqlite.org/fts5.html#the_merge_command).
    return Number(changes.get()?.n) - before >= 2
  })
  // Whoever reads just now keeps the log: not for long.
  const truncate = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)')
  for (let tries = 0; tries < 200; tries++)
    if (await slices.outside(() => truncate.get()?.busy === 0)) return
}
