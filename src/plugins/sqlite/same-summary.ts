import type { Entry } from './entry.ts'
import type { SummaryRow } from './summary-rows.ts'

/** Whether a summary is stored as it would be stored now, in that session and under that combo. */
export function isSameSummary(
  row: SummaryRow,
  entry: Entry,
  session: number,
  combo: number,
): boolean {
  return (
    row.session === session &&
    row.combo === combo &&
    row.startedAt === entry.startedAt &&
    row.endedAt === entry.endedAt &&
    row.root === entry.root &&
    row.reaped === entry.reaped &&
    row.promptAt === entry.promptAt &&
    row.textMark === entry.textMark &&
    row.tools === entry.tools &&
    row.tokenMetadata === entry.tokenMetadata &&
    entry.measures.every((value, at) => value === row.measures[at])
  )
}
