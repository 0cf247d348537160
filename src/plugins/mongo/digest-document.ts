import type { Summary } from '../../core/summary.ts'
import type { Facets } from './facets.ts'

/**
 * What of one interception lists, sessions and sums need, without what was said. It is made from the interception's
 * records, a moment after them. Of an interception that is forgotten a husk stays: `gone`, and nothing that tells
 * what it was.
 */
export interface DigestDocument extends Partial<Facets> {
  readonly _id: string
  /** Of the interception's `rev` that it was made from. */
  readonly rev: number
  /** Sessions and hours that are yet to be marked as dirty, also those that it was of before. */
  readonly touches?: readonly string[]
  /** The summary as JSON text, once it has ended; without the prompt, which may be long. */
  readonly summary?: string
  /** Whose end was told in the feed, when by the server's clock, by which process, and as its how many-th. */
  readonly fed?: 'owner' | 'reaper'
  readonly fedAt?: Date
  readonly feeder?: string
  readonly fedNumber?: number
  /** Of what can be searched of it. */
  readonly textHash?: string
  readonly gone?: 'pruned' | 'erased'
  readonly goneAt?: Date
}

/** The summary in a digest; its prompt's text is empty. */
export function summaryIn({ summary }: Pick<DigestDocument, 'summary'>): Summary | null {
  return summary === undefined ? null : (JSON.parse(summary) as Summary)
}
