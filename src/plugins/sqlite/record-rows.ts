import type { InterceptionRecord } from '../../core/records.ts'

/**
 * A batch as it goes to the writer: the six columns of each record, one record after the other. Flat,
 * with bodies as text: structured clone of the records costs the same here and twice as much there.
 */
export type RecordRows = readonly (string | number)[]

/** How many values a record has in `RecordRows`. */
export const rowWidth = 6

/** How many records are written in one transaction at most: a waiting process gets its turn soon. */
export const batchSize = 300

export function encodeRecords(records: readonly InterceptionRecord[]): RecordRows[] {
  const batches: RecordRows[] = []
  for (let start = 0; start < records.length; start += batchSize) {
    const rows: (string | number)[] = []
    for (const record of records.slice(start, start + batchSize)) {
      const { id, interceptionId, type, seq, createdAt } = record
      rows.push(id, interceptionId, type, seq, createdAt, bodyText(record))
    }
    batches.push(rows)
  }
  return batches
}

/** What is stored of a record beside its columns. */
export function bodyText(record: InterceptionRecord): string {
  const { id, interceptionId, type, seq, createdAt, ...body } = record
  return JSON.stringify(body)
}

export interface StoredRow {
  readonly id: string
  readonly interception_id: string
  readonly type: string
  readonly seq: number
  readonly created_at: string
  readonly body: string
}

/** A stored record as JSON text, its body not parsed; where that is damaged it is no JSON, or lacks what it should have. */
export function recordText(row: StoredRow): string {
  const stamp = JSON.stringify({
    id: row.id,
    interceptionId: row.interception_id,
    type: row.type,
    seq: row.seq,
    createdAt: row.created_at,
  })
  if (row.body === '{}') return stamp
  // Else what stands in a brace's place would be gone unnoticed.
  return row.body.startsWith('{') ? `${stamp.slice(0, -1)},${row.body.slice(1)}` : row.body
}
