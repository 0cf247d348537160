import { dropContent } from '../../core/record-content.ts'
import type { Interceptions } from './collections.ts'
import type { Whole } from './read-whole.ts'
import { decodeRecord, encodeRecord } from './record-document.ts'

/** Takes from an interception what people and models wrote. False where it has changed meanwhile. */
export async function withoutContent(
  interceptions: Interceptions,
  { document, parts }: Whole,
): Promise<boolean> {
  // The first part last: as long as it is stale somebody comes back to it.
  for (const part of parts.toReversed()) {
    const $set: Record<string, unknown> = {}
    for (const [id, encoded] of Object.entries(part.records ?? {})) {
      const record = decodeRecord(document._id, id, part.seqs?.[id] ?? 0, encoded)
      const bare = dropContent(record)
      if (bare !== record)
        $set[`records.${id}`] = encodeRecord(bare, Number.POSITIVE_INFINITY).document
    }
    if (part._id !== document._id) {
      if (Object.keys($set).length > 0) await interceptions.updateOne({ _id: part._id }, { $set })
      continue
    }
    const { matchedCount } = await interceptions.updateOne(
      { _id: document._id, rev: document.rev ?? { $exists: false } },
      { $set: { ...$set, stale: true }, $unset: { worded: '' }, $inc: { rev: 1 } },
    )
    return matchedCount === 1
  }
  return false
}
