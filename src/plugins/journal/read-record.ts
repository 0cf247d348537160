import type { InterceptionRecord } from '../../core/records.ts'

/** A record as it lies in the journal; null where the disk has damaged its text, which SQLite does not see. */
export function readRecord(body: string): InterceptionRecord | null {
  try {
    const record = JSON.parse(body) as InterceptionRecord | null
    return typeof record?.interceptionId === 'string' ? record : null
  } catch {
    return null
  }
}
