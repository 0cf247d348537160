import { forgetOldest } from '../../core/forget-oldest.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import type { Erasure, Erasures } from '../../core/store.ts'
import { deadLetters, sweepDeadLetters } from './dead-letters.ts'
import type { Forgetting } from './forgetter.ts'
import { type Forgotten, isErased, type Owner, remaining } from './forgotten.ts'

export interface ErasureWatchOptions {
  /** The journal's. */
  readonly folder: string
  /** Asks the store. */
  readonly erasures: (among?: readonly string[]) => Promise<Erasures>
  /** Goes through what waits. */
  readonly forget: (what: Forgotten) => Promise<Forgetting>
  /** Told how many records were not kept, or went. */
  readonly forgot: (records: number) => void
}

/** Interceptions that run, and such that were erased while they ran: so many are remembered. */
const mostRemembered = 20_000

/**
 * Learns from the store who was erased, wherever that was asked for: what waits of them goes from the disk, what of
 * them still comes is not put there.
 */
export class ErasureWatch {
  readonly #options: ErasureWatchOptions
  #known: readonly Erasure[] = []
  /** Those for which all was gone through. */
  readonly #done = new Set<string>()
  readonly #running = new Map<string, Owner>()
  readonly #erased = new Map<string, true>()
  /** Interceptions of which something came before their start. */
  readonly #early = new Map<string, true>()
  #looks = false

  constructor(options: ErasureWatchOptions) {
    this.#options = options
  }

  /** The records that may be kept. */
  admit(records: readonly InterceptionRecord[]): readonly InterceptionRecord[] {
    for (const record of records) this.#note(record)
    if (this.#erased.size === 0) return records
    const admitted = records.filter(({ interceptionId }) => !this.#erased.has(interceptionId))
    if (admitted.length === records.length) return records
    this.#options.forgot(records.length - admitted.length)
    return admitted
  }

  /** Rejects where the store cannot be asked; then all of it is done the next time. */
  async look(): Promise<void> {
    if (this.#looks) return
    this.#looks = true
    try {
      await this.#look()
    } finally {
      this.#looks = false
    }
  }

  /** Files came that nobody went through. */
  again(): void {
    this.#done.clear()
  }

  async #look(): Promise<void> {
    const { initiators } = await this.#options.erasures()
    this.#known = initiators
    const news = initiators.filter((each) => !this.#done.has(nameOf(each)))
    if (news.length === 0) return
    for (const [id, owner] of this.#running) if (isErased(owner, news)) this.#refuse(id)
    const { records } = await this.#options.forget({ erasures: news })
    if (records > 0) this.#options.forgot(records)
    await this.#sweepLetters(news)
    for (const each of news) this.#done.add(nameOf(each))
  }

  #note(record: InterceptionRecord): void {
    const { interceptionId: id } = record
    if (record.type !== 'interception_start') {
      if (!this.#running.has(id) && !this.#erased.has(id)) remember(this.#early, id, true)
      if (record.type === 'interception_end') this.#running.delete(id)
      return
    }
    const { initiatorId, initiatorUsername, startedAt } = record
    const owner = { initiatorId, initiatorUsername, startedAt }
    // What the store may have of it already it forgets only when it sees whose it is.
    const isWhole = !this.#early.has(id)
    if (isWhole && this.#known.length > 0 && isErased(owner, this.#known)) this.#refuse(id)
    else remember(this.#running, id, owner)
  }

  #refuse(id: string): void {
    this.#running.delete(id)
    remember(this.#erased, id, true)
  }

  async #sweepLetters(erasures: readonly Erasure[]): Promise<void> {
    const { folder } = this.#options
    const letters = await deadLetters(folder)
    if (letters.length === 0) return
    const owners = new Map<string, Owner>()
    for (const { record } of letters)
      if (record.type === 'interception_start') owners.set(record.interceptionId, record)
    const ids = [...new Set(letters.map(({ record }) => record.interceptionId))]
    const strays = ids.filter((id) => !owners.has(id))
    const gone = new Set((await this.#options.erasures(strays)).interceptions)
    await sweepDeadLetters(folder, (record) => {
      const { interceptionId: id } = record
      return gone.has(id) ? null : remaining(record, owners.get(id), { erasures })
    })
  }
}

function remember<T>(map: Map<string, T>, id: string, value: T): void {
  map.set(id, value)
  forgetOldest(map, mostRemembered)
}

function nameOf({ hash, of, until }: Erasure): string {
  return `${of} ${hash} ${until}`
}
