import type { LinkingStart, Links } from '../../core/links.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { decodeRecord, type RecordDocument } from './record-document.ts'

/**
 * One interception with its records. One that outgrows a document goes on in further parts, whose ids are
 * `<id>#1`, `<id>#2`, …; they have `records`, `seqs`, `bytes` and `of` alone.
 */
export interface InterceptionDocument {
  readonly _id: string
  /** From its start, once that is known. */
  readonly startedAt?: Date
  readonly initiatorId?: string
  readonly initiatorUsername?: string
  readonly model?: string
  readonly client?: string
  readonly processId?: string
  readonly ended?: boolean
  /** What its place in a thread depends on. */
  readonly lineage?: LinkingStart
  /** The key that it looks for among the `offers` and session keys of its initiator's. */
  readonly wants?: string | null
  readonly sessionKey?: string | null
  /** Keys of the tool calls that it made. */
  readonly offers?: readonly string[]
  /** The interceptions that its links may depend on: all that it ever hung on. */
  readonly above?: readonly string[]
  /** Its place by what is stored of others; not there where that is no more than its start says. */
  readonly links?: Links
  /** Its links from when what it hangs on was still stored. */
  readonly kept?: Links
  readonly records?: Readonly<Record<string, RecordDocument>>
  /** The place of each record in its interception: the lowest that it ever came with. */
  readonly seqs?: Readonly<Record<string, number>>
  /** An end that a reaper wrote, beside the owner's, which counts, in whatever order they come. */
  readonly reapedEnd?: RecordDocument
  /** How many documents this interception has. */
  readonly parts?: number
  /** About how large this document is, at most. */
  readonly bytes?: number
  /** Raised with each change; what is made from this interception tells which one it was made from. */
  readonly rev?: number
  /** What is made from this interception may lack its last changes. */
  readonly stale?: true
  /** It has something that people or models wrote. */
  readonly worded?: true
  /** It is being forgotten. */
  readonly doomed?: 'pruned' | 'erased'
  /** In a further part: the interception. */
  readonly of?: string
}

export function partId(interceptionId: string, part: number): string {
  return part === 0 ? interceptionId : `${interceptionId}#${part}`
}

/** The ids of the further parts of these documents. */
export function furtherParts(documents: readonly InterceptionDocument[]): string[] {
  return documents.flatMap(({ _id, parts = 1 }) =>
    Array.from({ length: parts - 1 }, (_, index) => partId(_id, index + 1)),
  )
}

/** The records in an interception's documents, given in order of their parts. */
export function recordsIn(
  id: string,
  documents: readonly InterceptionDocument[],
): InterceptionRecord[] {
  const found = new Map<string, InterceptionRecord>()
  for (const { records = {}, seqs = {} } of documents) {
    for (const [recordId, document] of Object.entries(records)) {
      const seq = seqs[recordId] ?? 0
      const earlier = found.get(recordId)?.seq ?? seq
      found.set(recordId, decodeRecord(id, recordId, Math.min(seq, earlier), document))
    }
  }
  const reaped = documents[0]?.reapedEnd
  if (!reaped) return [...found.values()]
  const { recordId, seq, ...document } = reaped
  return [
    decodeRecord(id, String(recordId), Number(seq), document as RecordDocument),
    ...found.values(),
  ]
}
