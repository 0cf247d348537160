import type { InterceptionRecord } from '../../core/records.ts'
import { type Forgotten, type Owner, remaining } from './forgotten.ts'
import type { JournalFile } from './journal-file.ts'

export interface Forgetting {
  readonly done: boolean
  /** Interceptions whose start waited and is gone. */
  readonly interceptions: number
  /** Of whom they were. */
  readonly initiatorIds: readonly string[]
  /** How many records are gone. */
  readonly records: number
  /** Interceptions whose start does not wait any more: the next step is to be told whose they are. */
  readonly strays: readonly string[]
}

/** Of these interceptions those that the store refuses. */
export interface StraysTold {
  readonly asked: readonly string[]
  readonly erased: readonly string[]
}

export interface ForgetterOptions {
  readonly what: Forgotten
  /** Which files are there: one that is shipped goes meanwhile. */
  readonly held: () => readonly JournalFile[]
  /** Opens another file of a dead process, each once. */
  readonly next: () => JournalFile | null
}

/** Goes through files, first for starts, which say whose the rest is, then for all; some rows with each step. */
export class Forgetter {
  readonly #options: ForgetterOptions
  readonly #owners = new Map<string, Owner>()
  readonly #gone = new Map<string, string>()
  readonly #asked = new Set<string>()
  readonly #erased = new Set<string>()
  #records = 0
  #left: { readonly file: JournalFile; readonly starts: boolean; position: number }[]
  /** Files that stay in what they were opened for; of those that nobody holds one at a time. */
  #visited: JournalFile | null = null

  constructor(options: ForgetterOptions) {
    this.#options = options
    this.#left = passes(options.held())
  }

  step({ asked, erased }: StraysTold = { asked: [], erased: [] }): Forgetting {
    for (const id of asked) this.#asked.add(id)
    for (const id of erased) this.#erased.add(id)
    const files = this.#files()
    this.#left = this.#left.filter(({ file }) => files.includes(file))
    const [place] = this.#left
    if (!place) {
      this.#wipe(files)
      return this.#report(this.#left.length === 0)
    }
    const rows = place.file.rowsAfter(place.position, place.starts)
    const last = rows.at(-1)
    if (place.starts) for (const { record } of rows) this.#note(record)
    else {
      const strays = this.#strays(rows)
      if (strays.length > 0) return this.#report(false, strays)
      this.#forget(place.file, rows)
    }
    if (last) place.position = last.position
    else this.#left = this.#left.slice(1)
    return this.#report(false)
  }

  /** Gives back the file that it is at. */
  release(): void {
    const file = this.#visited
    this.#visited = null
    if (file?.waiting === 0) file.remove()
    else file?.close()
  }

  /** The file that it is at, for somebody else to close. */
  giveUp(): JournalFile | null {
    const file = this.#visited
    this.#visited = null
    return file
  }

  #files(): readonly JournalFile[] {
    const held = this.#options.held()
    return this.#visited ? [...held, this.#visited] : held
  }

  /** What was freed is still in the files until then. Goes on with the next one that nobody holds. */
  #wipe(files: readonly JournalFile[]): void {
    for (const file of this.#visited ? [this.#visited] : files) {
      file.trim()
      file.compact()
    }
    this.release()
    this.#visited = this.#options.next()
    this.#left = passes(this.#visited ? [this.#visited] : [])
  }

  #note(record: InterceptionRecord | null): void {
    if (record?.type !== 'interception_start') return
    const { initiatorId, initiatorUsername, startedAt } = record
    this.#owners.set(record.interceptionId, { initiatorId, initiatorUsername, startedAt })
  }

  #strays(rows: Rows): string[] {
    const { initiators, erasures } = this.#options.what
    if (!initiators && !erasures) return []
    const ids = new Set(rows.flatMap(({ record }) => record?.interceptionId ?? []))
    return [...ids].filter((id) => !this.#owners.has(id) && !this.#asked.has(id))
  }

  #forget(file: JournalFile, rows: Rows): void {
    const changes = new Map<number, InterceptionRecord | null>()
    for (const { position, record } of rows) {
      if (!record) {
        // Whose it is nobody can tell, and it can't be stored.
        changes.set(position, null)
        continue
      }
      const id = record.interceptionId
      const owner = this.#owners.get(id)
      const rest = this.#erased.has(id) ? null : remaining(record, owner, this.#options.what)
      if (rest !== record) changes.set(position, rest)
      if (!rest) this.#records++
      if (!rest && owner && record.type === 'interception_start')
        this.#gone.set(id, owner.initiatorId)
    }
    if (changes.size > 0) file.change(changes)
  }

  #report(done: boolean, strays: readonly string[] = []): Forgetting {
    return {
      done,
      interceptions: this.#gone.size,
      initiatorIds: [...new Set(this.#gone.values())],
      records: this.#records,
      strays,
    }
  }
}

type Rows = ReturnType<JournalFile['rowsAfter']>

function passes(files: readonly JournalFile[]) {
  return [true, false].flatMap((starts) => files.map((file) => ({ file, starts, position: 0 })))
}
