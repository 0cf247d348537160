import type { InterceptionRecord } from '../../core/records.ts'
import { type Forgotten, type Owner, remaining } from './forgotten.ts'
import type { JournalFile } from './journal-file.ts'

export interface Forgetting {
  readonly done: boolean
  /** Interceptions whose start waited and is gone. */
  readonly interceptions: number
  /** Of whom they were. */
  readonly initiatorIds: readonly string[]
}

/** Goes through files, first for starts, which say whose the rest is, then for all; some rows with each step. */
export class Forgetter {
  readonly #held: () => readonly JournalFile[]
  readonly #what: Forgotten
  readonly #owners = new Map<string, Owner>()
  readonly #gone = new Map<string, string>()
  #left: { readonly file: JournalFile; readonly starts: boolean; position: number }[]

  /** `held` tells which files are there: one that is shipped goes meanwhile. */
  constructor(held: () => readonly JournalFile[], what: Forgotten) {
    this.#held = held
    this.#what = what
    this.#left = [true, false].flatMap((starts) =>
      held().map((file) => ({ file, starts, position: 0 })),
    )
  }

  step(): Forgetting {
    const held = this.#held()
    this.#left = this.#left.filter(({ file }) => held.includes(file))
    const [place] = this.#left
    if (place) {
      const rows = place.file.rowsAfter(place.position, place.starts)
      const last = rows.at(-1)
      if (last) place.position = last.position
      else this.#left = this.#left.slice(1)
      if (place.starts) for (const { record } of rows) this.#note(record)
      else this.#forget(place.file, rows)
    }
    return {
      done: this.#left.length === 0,
      interceptions: this.#gone.size,
      initiatorIds: [...new Set(this.#gone.values())],
    }
  }

  #note(record: InterceptionRecord | null): void {
    if (record?.type !== 'interception_start') return
    const { initiatorId, initiatorUsername, startedAt } = record
    this.#owners.set(record.interceptionId, { initiatorId, initiatorUsername, startedAt })
  }

  #forget(
    file: JournalFile,
    rows: readonly { readonly position: number; readonly record: InterceptionRecord | null }[],
  ): void {
    const changes = new Map<number, InterceptionRecord | null>()
    for (const { position, record } of rows) {
      if (!record) {
        // Whose it is nobody can tell, and it can't be stored.
        changes.set(position, null)
        continue
      }
      const owner = this.#owners.get(record.interceptionId)
      const rest = remaining(record, owner, this.#what)
      if (rest !== record) changes.set(position, rest)
      if (!rest && owner && record.type === 'interception_start')
        this.#gone.set(record.interceptionId, owner.initiatorId)
    }
    if (changes.size > 0) file.change(changes)
  }
}
