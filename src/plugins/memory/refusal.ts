import { hash } from 'node:crypto'
import { timeOf } from '../../core/ids.ts'
import { dropContent } from '../../core/record-content.ts'
import type { InterceptionRecord, RecordOf } from '../../core/records.ts'
import type { Erasure, Erasures } from '../../core/store.ts'
import type { Holdings } from './holdings.ts'

/** What was forgotten stays so, whatever comes late: limits of age, and whose records are erased. */
export class Refusal {
  readonly #holdings: Holdings
  #before = Number.NEGATIVE_INFINITY
  #contentBefore = Number.NEGATIVE_INFINITY
  /** Until when, by the hash of an initiator's id. */
  readonly #tombstones = new Map<string, number>()
  readonly #erased = new Set<string>()

  constructor(holdings: Holdings) {
    this.#holdings = holdings
  }

  /** Limits in ms since 1970; they only grow. */
  limit({ before, contentBefore }: { before: number; contentBefore: number }): void {
    this.#before = Math.max(this.#before, before)
    this.#contentBefore = Math.max(this.#contentBefore, contentBefore)
    for (const id of this.#erased) if (timeOf(id) < this.#before) this.#erased.delete(id)
  }

  bury(initiatorId: string, until: number): void {
    const key = hash('sha256', initiatorId)
    this.#tombstones.set(key, Math.max(until, this.#tombstones.get(key) ?? until))
  }

  erase(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#erased.add(id)
    this.#holdings.removeAll(ids)
  }

  erasures(among: readonly string[]): Erasures {
    const initiators = [...this.#tombstones].map(
      ([hash, until]): Erasure => ({ hash, of: 'id', until: new Date(until).toISOString() }),
    )
    return { initiators, interceptions: among.filter((id) => this.#erased.has(id)) }
  }

  /** Of a batch what may be kept, and as it may be kept. */
  admit(records: readonly InterceptionRecord[]): readonly InterceptionRecord[] {
    if (this.#tombstones.size === 0 && this.#before === Number.NEGATIVE_INFINITY) {
      if (this.#contentBefore === Number.NEGATIVE_INFINITY) return records
    }
    const starts = new Map<string, RecordOf<'interception_start'>>()
    for (const record of records) {
      if (record.type !== 'interception_start' || this.#isLate(record)) continue
      if (this.#isBuried(record)) this.erase(new Set([record.interceptionId]))
      else starts.set(record.interceptionId, record)
    }
    return records
      .filter((record) => this.#mayStay(record, starts.has(record.interceptionId)))
      .map((record) => this.#asItMayBe(record, starts.get(record.interceptionId)))
  }

  /** What is held stays until it has ended, and may be told again. */
  #isLate({ interceptionId, startedAt }: RecordOf<'interception_start'>): boolean {
    if (!(Date.parse(startedAt) < this.#before)) return false
    return !this.#holdings.entry(interceptionId)?.start
  }

  #isBuried({ initiatorId, startedAt }: RecordOf<'interception_start'>): boolean {
    if (this.#tombstones.size === 0) return false
    const until = this.#tombstones.get(hash('sha256', initiatorId))
    return until !== undefined && Date.parse(startedAt) <= until
  }

  #mayStay(record: InterceptionRecord, hasStart: boolean): boolean {
    const { interceptionId: id } = record
    if (this.#erased.has(id)) return false
    if (record.type === 'interception_start' && this.#isLate(record)) return false
    return hasStart || this.#holdings.entry(id) !== undefined || !(timeOf(id) < this.#before)
  }

  #asItMayBe(
    record: InterceptionRecord,
    given: RecordOf<'interception_start'> | undefined,
  ): InterceptionRecord {
    const { interceptionId: id } = record
    const start = this.#holdings.entry(id)?.start ?? given ?? null
    return timeOfEntry(id, start) < this.#contentBefore ? dropContent(record) : record
  }
}

/** When it began: by its start, or its id where that has not come. NaN where neither tells. */
export function timeOfEntry(id: string, start: { readonly startedAt: string } | null): number {
  return start ? Date.parse(start.startedAt) : timeOf(id)
}
