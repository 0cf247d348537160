import { hash } from 'node:crypto'
import { timeOf } from '../../core/ids.ts'
import { dropContent } from '../../core/record-content.ts'
import type { InterceptionRecord, InterceptionStart } from '../../core/records.ts'
import type { Erasure } from '../../core/store.ts'

/** What of the records that wait is to be forgotten. */
export interface Forgotten {
  /** Of these initiators, by id, or of who has this username. */
  readonly initiators?: {
    readonly ids: readonly string[]
    readonly username: string
    /** RFC 3339, inclusive. */
    readonly until: string
  }
  /** Of whom the store has told that they were erased. */
  readonly erasures?: readonly Erasure[]
  /** RFC 3339: all that began before. */
  readonly before?: string
  /** RFC 3339: of what began before, what people and models wrote. */
  readonly contentBefore?: string
}

/** What is known of where a record belongs to: its interception's start, or nothing. */
export type Owner = Pick<InterceptionStart, 'initiatorId' | 'initiatorUsername' | 'startedAt'>

/** The record as it may stay; null where it may not. */
export function remaining(
  record: InterceptionRecord,
  owner: Owner | undefined,
  { initiators, erasures, before, contentBefore }: Forgotten,
): InterceptionRecord | null {
  if (owner && initiators && isOf(owner, initiators)) return null
  if (owner && erasures && isErased(owner, erasures)) return null
  const at = owner ? Date.parse(owner.startedAt) : timeOf(record.interceptionId)
  if (before !== undefined && at < Date.parse(before)) return null
  const isBare = contentBefore !== undefined && at < Date.parse(contentBefore)
  return isBare ? dropContent(record) : record
}

/** Whether the store refuses what is of this owner. */
export function isErased(
  { initiatorId, initiatorUsername, startedAt }: Owner,
  erasures: readonly Erasure[],
): boolean {
  const at = Date.parse(startedAt)
  const meant = erasures.filter(({ until }) => at <= Date.parse(until))
  if (meant.length === 0) return false
  const [id, name] = [hash('sha256', initiatorId), hash('sha256', initiatorUsername)]
  return meant.some((each) => each.hash === id || (each.of === 'name' && each.hash === name))
}

function isOf(
  { initiatorId, initiatorUsername, startedAt }: Owner,
  { ids, username, until }: NonNullable<Forgotten['initiators']>,
): boolean {
  const isNamed = ids.includes(initiatorId) || initiatorUsername === username
  return isNamed && Date.parse(startedAt) <= Date.parse(until)
}
