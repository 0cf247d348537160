import { timeOf } from '../../core/ids.ts'
import { isObject, objectOf, parseJson } from '../../core/json.ts'
import { dropContent, isEssential } from '../../core/record-content.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import type { PruneQuery, PruneReport } from '../../core/store.ts'
import type { Slices } from './chores.ts'
import { meta } from './meta.ts'
import type { StoreWriter } from './store-writer.ts'
import { sweep } from './sweep.ts'

/** Below every key. */
const ever = -(2n ** 62n)

/** Forgets what is older than the limits, the oldest first. */
export async function prune(
  store: StoreWriter,
  slices: Slices,
  { before, contentBefore, dryRun = false, budget = Number.POSITIVE_INFINITY }: PruneQuery,
): Promise<PruneReport> {
  const until = performance.now() + budget
  const limits = { pruned: limitOf(before), emptied: limitOf(contentBefore) }
  if (dryRun) return dryPrune(store, slices, limits, until)
  await slices.one(() => setLimits(store, limits))
  const interceptions = await pruneOld(store, slices, limits.pruned, until)
  const contents = await emptyOld(store, slices, limits, until)
  const swept = interceptions.done && interceptions.count > 0
  if (swept) await sweep(store, slices)
  return {
    interceptions: interceptions.count,
    contents: contents.count,
    done: interceptions.done && contents.done,
  }
}

interface Limits {
  readonly pruned: number | null
  readonly emptied: number | null
}

interface Progress {
  readonly count: number
  readonly done: boolean
}

function limitOf(time: string | undefined): number | null {
  const at = Date.parse(time ?? '')
  return Number.isNaN(at) ? null : at
}

/** They never move back. */
function setLimits({ database }: StoreWriter, limits: Limits): void {
  const facts = meta(database)
  for (const name of ['pruned', 'emptied'] as const) {
    const limit = limits[name]
    if (limit === null) continue
    const now = facts.number(name)
    if (now === null || now < limit) facts.set(name, limit)
  }
  facts.set('epoch', (facts.number('epoch') ?? 0) + 1)
}

async function pruneOld(
  { database, remove }: StoreWriter,
  slices: Slices,
  limit: number | null,
  until: number,
): Promise<Progress> {
  if (limit === null) return { count: 0, done: true }
  const oldest = database.prepare(
    'SELECT id FROM summaries WHERE key < ? << 20 ORDER BY key LIMIT 1',
  )
  let count = 0
  const ended = await slices.each(() => {
    const id = oldest.get(limit)?.id
    if (id === undefined) return false
    if (remove(String(id))) count++
    return true
  }, until)
  if (!ended) return { count, done: false }
  // What has no start has no place among the ended: its id tells how old it is, and ids are in order of time.
  const next = database.prepare(`
    SELECT interception_id AS id FROM records WHERE interception_id > ? AND interception_id < ?
    ORDER BY interception_id LIMIT 1`)
  const isBegun = database.prepare(
    'SELECT 1 FROM interceptions WHERE id = ? AND started_at IS NOT NULL',
  )
  const end = firstIdOf(limit)
  let last = ''
  const orphans = await slices.each(() => {
    const id = next.get(last, end)?.id
    if (id === undefined) return false
    last = String(id)
    if (timeOf(last) < limit && !isBegun.get(last)) remove(last)
    return true
  }, until)
  const forgetErased = database.prepare('DELETE FROM erased WHERE id < ?')
  await slices.one(() => forgetErased.run(end))
  return { count, done: orphans }
}

/** Those below the mark are empty, but for some that ran while others were emptied. */
async function emptyOld(
  { database, empty }: StoreWriter,
  slices: Slices,
  { emptied: limit, pruned }: Limits,
  until: number,
): Promise<Progress> {
  if (limit === null) return { count: 0, done: true }
  const facts = meta(database)
  const nextWordy = database.prepare('SELECT id FROM wordy LIMIT 1')
  const dropWordy = database.prepare('DELETE FROM wordy WHERE id = ?')
  const startOf = database.prepare('SELECT key >> 20 AS at FROM summaries WHERE id = ?')
  let count = 0
  const late = await slices.each(() => {
    const id = nextWordy.get()?.id
    if (id === undefined) return false
    dropWordy.run(String(id))
    const at = startOf.get(String(id))?.at
    if (typeof at === 'number' && at >= (pruned ?? at) && empty(String(id))) count++
    return true
  }, until)
  if (!late) return { count, done: false }
  const next = database.prepare(`
    SELECT id, CAST(key AS TEXT) AS key FROM summaries
    WHERE key > CAST(? AS INTEGER) AND key < ? << 20 ORDER BY key LIMIT 1`)
  const marked = BigInt(facts.text('emptied_key') ?? ever)
  // Older ones are on their way out.
  const kept = pruned === null ? ever : (BigInt(pruned) << 20n) - 1n
  let mark = String(marked > kept ? marked : kept)
  const done = await slices.each(() => {
    const row = next.get(mark, limit)
    if (!row) return false
    mark = String(row.key)
    if (empty(String(row.id))) count++
    facts.set('emptied_key', mark)
    return true
  }, until)
  return { count, done }
}

/** Counts what would be forgotten. */
async function dryPrune(
  { database }: StoreWriter,
  slices: Slices,
  { pruned, emptied }: Limits,
  until: number,
): Promise<PruneReport> {
  const old = database.prepare('SELECT count(*) AS n FROM summaries WHERE key < ? << 20')
  const interceptions = pruned === null ? 0 : Number(old.get(pruned)?.n)
  if (emptied === null) return { interceptions, contents: 0, done: true }
  const next = database.prepare(`
    SELECT id, CAST(key AS TEXT) AS key FROM summaries
    WHERE key > CAST(? AS INTEGER) AND key < ? << 20 ORDER BY key LIMIT 1`)
  const recordsOf = database.prepare('SELECT type, body FROM records WHERE interception_id = ?')
  const hasContent = (id: string) =>
    recordsOf.all(id).some((row) => {
      const body = parseJson(String(row.body))
      const known = { ...objectOf(body), type: row.type } as unknown as InterceptionRecord
      return isObject(body) ? dropContent(known) !== known : row.body !== '' && !isEssential(known)
    })
  const isWordy = database.prepare('SELECT 1 FROM wordy WHERE id = ?')
  const done = BigInt(meta(database).text('emptied_key') ?? ever)
  let mark = pruned === null ? String(ever) : String((BigInt(pruned) << 20n) - 1n)
  let contents = 0
  const counted = await slices.each(() => {
    const row = next.get(mark, emptied)
    if (!row) return false
    mark = String(row.key)
    const id = String(row.id)
    if ((BigInt(mark) > done || isWordy.get(id)) && hasContent(id)) contents++
    return true
  }, until)
  return { interceptions, contents, done: counted }
}

/** What all UUIDv7 of a time and later are not below. */
function firstIdOf(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
