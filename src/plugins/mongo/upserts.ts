import { dropContent } from '../../core/record-content.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import type { Upsert } from './bulk-upsert.ts'
import type { RecordGroup } from './grouped-records.ts'
import { type InterceptionDocument, partId } from './interception-document.ts'
import { aboveOf, offerOf } from './link-members.ts'
import { documentLimit, type Places } from './places.ts'
import { encodeRecord } from './record-document.ts'
import { startMembers } from './start-members.ts'

/** No record takes more, whatever a plugin put into it. */
const recordLimit = 4 * 1024 ** 2

interface Update {
  readonly $set: Record<string, unknown>
  readonly $min: Record<string, number>
  readonly $max: Record<string, number>
  readonly $inc: Record<string, number>
  readonly $addToSet: Record<string, { readonly $each: string[] }>
  readonly $setOnInsert: Record<string, unknown>
}

/**
 * The updates, one per document, that write a group of records: the same again and in any order they
 * leave the same documents. Takes note of where each record goes.
 */
export function upsertsFor(
  id: string,
  group: RecordGroup,
  places: Places,
): Upsert<InterceptionDocument>[] {
  const updates = new Map<number, Update>()
  const updateOf = (part: number): Update => {
    let update = updates.get(part)
    if (!update) {
      const $setOnInsert = part === 0 ? {} : { of: id }
      update = { $set: {}, $min: {}, $max: {}, $inc: {}, $addToSet: {}, $setOnInsert }
      updates.set(part, update)
    }
    return update
  }
  const first = updateOf(0)
  // In the update that changes it: whatever dies afterwards, somebody sees that what is made from it is old.
  first.$set.stale = true
  first.$inc.rev = 1
  const add = (member: string, values: readonly string[]) => {
    if (values.length === 0) return
    first.$addToSet[member] ??= { $each: [] }
    first.$addToSet[member].$each.push(...values)
  }
  for (const record of group.records.values()) {
    const { document, bytes, part } = place(record, places)
    places.put(record.id, part, bytes)
    const { $set, $min } = updateOf(part)
    $set[`records.${record.id}`] = document
    if (dropContent(record) !== record) first.$set.worded = true
    $min[`seqs.${record.id}`] = record.seq
    if (record.type === 'interception_start') {
      Object.assign(first.$set, startMembers(record))
      add('above', aboveOf(record))
    }
    if (record.type === 'tool_usage') {
      const offer = offerOf(record)
      const size = Buffer.byteLength(offer) + 16
      // So many calls that the document would not hold even their ids: who answers a further one stays alone.
      if (places.bytesIn(0) + size <= documentLimit) {
        places.put(`offer ${offer}`, 0, size)
        add('offers', [offer])
      }
    }
    if (record.type === 'interception_end') first.$set.ended = true
  }
  if (group.reapedEnd) {
    const { id: recordId, seq } = group.reapedEnd
    const { document } = encodeRecord(group.reapedEnd, recordLimit)
    first.$set.reapedEnd = { ...document, recordId, seq }
    first.$set.ended = true
  }
  if (!first.$set.ended) first.$setOnInsert.ended = false
  first.$max.parts = places.parts
  for (const [part, { $max }] of updates) $max.bytes = places.bytesIn(part)
  return [...updates].map(([part, update]) => ({
    filter: { _id: partId(id, part) },
    update: withoutEmpty(update),
    upsert: true,
  }))
}

function place(record: InterceptionRecord, places: Places) {
  const whole = encodeRecord(record, recordLimit)
  const part = partOf(record, places, whole.bytes)
  const room = documentLimit - places.bytesIn(part)
  return { part, ...(whole.bytes <= room ? whole : encodeRecord(record, Math.max(0, room))) }
}

function partOf({ id, type }: InterceptionRecord, places: Places, bytes: number): number {
  // Lists are read from the first parts: what they show of an interception has to be there.
  return type === 'interception_start' || type === 'interception_end'
    ? 0
    : places.partFor(id, bytes)
}

/** MongoDB before 5.0 refuses an operator that has nothing to do. */
function withoutEmpty(update: Update): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(update).filter(([, members]) => Object.keys(members).length > 0),
  )
}
