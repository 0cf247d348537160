import { timeOf } from '../../core/ids.ts'
import { dropContent } from '../../core/record-content.ts'
import type { InterceptionRecord, RecordOf } from '../../core/records.ts'
import type { Collections } from './collections.ts'
import { groupRecords, type RecordGroup } from './grouped-records.ts'
import { isErased, readLimits } from './limits.ts'
import { remove } from './remove.ts'

/**
 * The batch by interception, less what the store takes no longer: what began before the limit, unless it is stored
 * and still runs, and what is of somebody who was forgotten. What else must go is seen once it is stored.
 */
export async function admitted(
  collections: Collections,
  batch: readonly InterceptionRecord[],
): Promise<Map<string, RecordGroup>> {
  const groups = groupRecords(batch)
  if (groups.size === 0) return groups
  const limits = await readLimits(collections)
  const [erased, past]: [string[], string[]] = [[], []]
  for (const [id, { records }] of groups) {
    const start = startIn(records)
    if (!start) continue
    if (isErased(limits, start)) erased.push(id)
    else if (limits.before && Date.parse(start.startedAt) < limits.before.getTime()) past.push(id)
  }
  const unknown = await notStored(collections, past)
  for (const id of [...erased, ...unknown]) groups.delete(id)
  // Also what came of them before their start; and remembered, for what comes after it.
  if (erased.length > 0) await remove(collections, erased, 'erased')
  if (unknown.length > 0) await remove(collections, unknown, 'pruned')
  if (limits.contentBefore) await withoutOldContent(collections, groups, limits.contentBefore)
  return groups
}

/** What comes late of an old one is stored as what is stored of it was left. */
async function withoutOldContent(
  { interceptions }: Collections,
  groups: ReadonlyMap<string, RecordGroup>,
  before: Date,
): Promise<void> {
  const filter = { _id: { $in: [...groups.keys()] }, startedAt: { $exists: true } }
  const found = await interceptions
    .find(filter, { projection: { startedAt: 1 }, readPreference: 'primary' })
    .toArray()
  const begun = new Map(found.map(({ _id, startedAt }) => [_id, startedAt?.getTime()]))
  for (const [id, { records }] of groups) {
    const start = startIn(records)
    const at = begun.get(id) ?? (start ? Date.parse(start.startedAt) : timeOf(id))
    if (!(at < before.getTime())) continue
    for (const [recordId, record] of records) records.set(recordId, dropContent(record))
  }
}

function startIn(records: RecordGroup['records']): RecordOf<'interception_start'> | undefined {
  return records.values().find((record) => record.type === 'interception_start')
}

async function notStored(
  { interceptions }: Collections,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return []
  const filter = { _id: { $in: [...ids] }, startedAt: { $exists: true } }
  const found = await interceptions
    .find(filter, { projection: { _id: 1 }, readPreference: 'primary' })
    .toArray()
  const there = new Set(found.map(({ _id }) => _id))
  return ids.filter((id) => !there.has(id))
}
