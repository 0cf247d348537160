import type { LinkingStart, Links } from '../../core/links.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { decodeRecord, type RecordDocument } from './record-document.ts'

/**
 * One interception with its records. One that outgrows a document goes on in further parts, whose ids are
 * `<id>#1`, `<id>#2`, …; they have `records`, `seqs`, `bytes` and `of` alone.
 */
export interface InterceptionDocument {
  readonly _id: string
  /** What lists filter and sort by, once the start is known. */
  readonly startedAt?: Date
  readonly initiatorId?: string
  readonly initiatorUsername?: string
  readonly provider?: string
  readonly providerName?: string
  readonly model?: string
  readonly client?: string
  readonly sessionId?: string
  readonly processId?: string
  readonly ended?: boolean
  /** Name and value of each, as JSON. */
  readonly annotations?: readonly string[]
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
  readonly records?: Readonly<Record<string, RecordDocument>>
  /** The place of each record in its interception: the lowest that it ever came with. */
  readonly seqs?: Readonly<Record<string, number>>
  /** An end that a reaper wrote, beside the owner's, which counts, in whatever order they come. */
  readonly reapedEnd?: RecordDocument
  /** How many documents this interception has. */
  readonly parts?: number
  /** About how large this document is, at most. */
  readonly bytes?: number
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
