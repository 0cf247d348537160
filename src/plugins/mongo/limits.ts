import { createHash } from 'node:crypto'
import { timeOf } from '../../core/ids.ts'
import type { InterceptionStart } from '../../core/records.ts'
import type { Collections } from './collections.ts'

/** What the store takes no longer. There is one, `limits`; its times never move back. */
export interface LimitsDocument {
  readonly _id: string
  /** Interceptions that started before are forgotten. */
  readonly before?: Date
  /** Those that started before are without content. */
  readonly contentBefore?: Date
  /** Who was forgotten, as a hash of id or username, and until when. */
  readonly erased?: readonly Tombstone[]
  /** Names this store in cursors of its feed. */
  readonly store?: string
  /** The newest entry of the feed of which there is not even a husk. */
  readonly gapTo?: Date
  /** Which version of this program made what is made from the records. */
  readonly derived?: number
}

interface Tombstone {
  readonly hash: string
  /** Only an id is meant, or also a username. */
  readonly of: 'id' | 'name'
  readonly before: Date
}

export const limitsId = 'limits'

export async function readLimits({ limits }: Pick<Collections, 'limits'>): Promise<LimitsDocument> {
  // A secondary may not know yet what must not come back.
  const found = await limits.findOne({ _id: limitsId }, { readPreference: 'primary' })
  return found ?? { _id: limitsId }
}

/** Whether somebody asked to be forgotten, and this is from before. */
export function isErased(
  { erased = [] }: LimitsDocument,
  { initiatorId, initiatorUsername, startedAt }: InterceptionStart,
): boolean {
  if (erased.length === 0) return false
  const hashes = {
    id: [hashOf(initiatorId)],
    name: [hashOf(initiatorId), hashOf(initiatorUsername)],
  }
  const at = Date.parse(startedAt)
  return erased.some(({ hash, of, before }) => hashes[of].includes(hash) && at <= before.getTime())
}

/** Whether an interception of which no start is stored is older than what is kept. */
export function isPast({ before }: LimitsDocument, id: string): boolean {
  return before !== undefined && timeOf(id) < before.getTime()
}

export function hashOf(initiator: string): string {
  return createHash('sha256').update(initiator).digest('hex')
}
