import type { InterceptionRecord } from '../../core/records.ts'
import { isReaped } from '../../core/stored-interception.ts'

/** What one batch says of one interception: of each record the last word, in its first place. */
export interface RecordGroup {
  readonly records: Map<string, InterceptionRecord>
  reapedEnd: InterceptionRecord | null
}

/** The batch by interception. */
export function groupRecords(batch: readonly InterceptionRecord[]): Map<string, RecordGroup> {
  const groups = new Map<string, RecordGroup>()
  for (const record of batch) {
    let group = groups.get(record.interceptionId)
    if (!group) {
      group = { records: new Map(), reapedEnd: null }
      groups.set(record.interceptionId, group)
    }
    if (isReaped(record)) {
      group.reapedEnd = record
      continue
    }
    const seq = Math.min(record.seq, group.records.get(record.id)?.seq ?? record.seq)
    group.records.set(record.id, { ...record, seq })
  }
  return groups
}
