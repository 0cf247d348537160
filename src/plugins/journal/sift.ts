import type { InterceptionRecord } from '../../core/records.ts'
import { isStoreFault } from '../../core/store-fault.ts'

export interface Refused {
  readonly record: InterceptionRecord
  readonly error: unknown
}

/** Resolves to what went wrong, or undefined. */
export type Store = (records: readonly InterceptionRecord[]) => Promise<unknown>

/**
 * Stores a batch that was refused, piece by piece and in order, and tells which of its records are bad: those
 * that fail alone, and again right after another that is stored. Null where nothing is known, because the store
 * takes nothing; then nothing is lost, and what was stored is stored again later.
 */
export async function sift(
  batch: readonly InterceptionRecord[],
  store: Store,
  stored?: InterceptionRecord,
): Promise<Refused[] | null> {
  const bad: Refused[] = []
  let witness = stored

  async function pass(part: readonly InterceptionRecord[]): Promise<boolean> {
    const error = await store(part)
    if (error === undefined) {
      witness = part.findLast(isFinal) ?? witness
      return true
    }
    if (isStoreFault(error)) return false
    if (part.length === 1) return judge(part[0] as InterceptionRecord)
    const middle = part.length >> 1
    return (await pass(part.slice(0, middle))) && (await pass(part.slice(middle)))
  }

  async function judge(record: InterceptionRecord): Promise<boolean> {
    if (!(await storeTakes(record))) return false
    const error = await store([record])
    if (error !== undefined && isStoreFault(error)) return false
    if (error !== undefined) bad.push({ record, error })
    return true
  }

  async function storeTakes(suspect: InterceptionRecord): Promise<boolean> {
    const others = batch.filter((record) => isFinal(record) && record.id !== suspect.id).slice(0, 3)
    for (const record of witness ? [witness, ...others] : others) {
      if ((await store([record])) !== undefined) continue
      witness = record
      return true
    }
    return false
  }

  return (await pass(batch)) ? bad : null
}

/** Only these serve as witnesses: nothing replaces them later, so that storing them again takes nothing back. */
export function isFinal({ type }: InterceptionRecord): boolean {
  return type === 'interception_start' || type === 'interception_end'
}
