import { statfsSync, statSync } from 'node:fs'
import { SluiceError } from '../../core/errors.ts'
import { type Fault, faultOf } from '../sqlite/fault.ts'
import { deadLetterFiles } from './dead-letters.ts'
import { isDamaged, isDiskFault } from './disk-fault.ts'
import type { FileNews } from './file-news.ts'
import { Forgetter, type Forgetting, type StraysTold } from './forgetter.ts'
import type { Forgotten } from './forgotten.ts'
import type { JournalBatch, JournalFile, JournalRow } from './journal-file.ts'
import { attempt, JournalFiles } from './journal-files.ts'
import { appendShedding, bytesOf, type Shed } from './shedding.ts'

export interface JournalFolderOptions {
  /** The folder. */
  readonly path: string
  /** This process's own file in it, without its ending. */
  readonly name: string
  readonly maxBytes: number
}

/** What became of a batch. */
export interface Appended extends Shed {
  /** Why it is not kept though something was given up for it. */
  readonly fault?: Fault
}

export interface Shipment extends JournalBatch {
  readonly file: string
}

export interface ForgetWish {
  readonly what: Forgotten
  /** From the beginning. */
  readonly anew: boolean
  readonly told?: StraysTold
}

/** A disk that was full is tried again when this much is free. */
const freeAgain = 4 * 1024 ** 2

/**
 * The journal of one process: its own file, and those of dead processes that it has taken over. All within one
 * bound; what is given up at it, and in which order, is `appendShedding`.
 */
export class JournalFolder {
  readonly #options: JournalFolderOptions
  readonly #limit: number
  readonly #files: JournalFiles
  #turn = 0
  #full = false
  #diskFull = false
  #letterBytes = 0
  #trimming: NodeJS.Timeout | undefined
  #forgetter: Forgetter | null = null

  constructor(options: JournalFolderOptions) {
    this.#options = options
    const { path, name, maxBytes } = options
    const logPages = Math.max(16, Math.min(4000, Math.trunc(maxBytes / 32 / 4096)))
    // The log may grow by as much before SQLite begins it anew.
    this.#limit = maxBytes - logPages * 4096
    this.#files = new JournalFiles({ path, name, logPages })
    this.#diskFull = this.#files.own === null
    this.#weighLetters()
  }

  /** All bytes that count towards the bound. */
  get bytes(): number {
    return this.#files.all.reduce((sum, file) => sum + file.bytes, this.#letterBytes)
  }

  get waiting(): number {
    return this.#files.all.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  /** How many records of dead processes wait in files that it took over. */
  get orphans(): number {
    return this.#files.adopted.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  news(): FileNews[] {
    return this.#files.news()
  }

  adopt(): void {
    this.#files.adopt()
  }

  /** Commits a batch; what is given up for it where it does not fit, and in which order, is `appendShedding`. */
  append(rows: readonly JournalRow[]): Appended {
    const shed: Shed = { stripped: 0, dropped: [], refused: false }
    try {
      this.#soundly(() => this.#append(rows, shed))
      return shed
    } catch (error) {
      if (shed.stripped === 0 && shed.dropped.length === 0) throw error
      // What is gone has to be told, whatever stopped it then.
      return { ...shed, fault: faultOf(error, `journal ${this.#options.path}`) }
    }
  }

  /** What is to be stored next, at most so many records, of each file in turn. */
  next(most: number): Shipment | null {
    return this.#soundly(() => {
      this.#weighLetters()
      attempt(() => this.#files.keepOwn())
      this.#files.sweep()
      const files = this.#files.all
      for (let tries = 0; tries < files.length; tries++) {
        const file = files[this.#turn++ % files.length] as JournalFile
        const batch = file.next(most)
        if (batch) return { file: file.id, ...batch }
      }
      return null
    })
  }

  shipped({ file: id, upTo }: Pick<Shipment, 'file' | 'upTo'>): void {
    this.#soundly(() => this.#files.all.find((file) => file.id === id)?.shipped(upTo))
    this.#trimming ??= setTimeout(() => this.#trim(), 250).unref()
  }

  /** Goes through all that waits, a little with each call, so that who appends does not wait long. */
  forget({ what, anew, told }: ForgetWish): Forgetting {
    if (anew) {
      this.#forgetter?.release()
      const others = this.#files.others()
      const next = () => others.next().value ?? null
      this.#forgetter = new Forgetter({ what, held: () => this.#files.all, next })
    }
    const forgetter = this.#forgetter
    if (!forgetter) throw new Error('forget: it was not begun')
    try {
      const step = forgetter.step(told)
      if (step.done) this.#forgetter = null
      return step
    } catch (error) {
      const visited = forgetter.giveUp()
      this.#forgetter = null
      if (visited) this.#files.take(visited)
      // What is saved of it is elsewhere then, so that all begins anew.
      if (isDamaged(error)) this.#files.mend()
      throw error
    }
  }

  /** What is not stored stays on disk. */
  close(): void {
    clearTimeout(this.#trimming)
    this.#forgetter?.release()
    this.#files.close()
  }

  #append(rows: readonly JournalRow[], shed: Shed): void {
    shed.refused = this.#isFull()
    if (shed.refused) return
    this.#makeRoomOnDisk()
    const own = this.#keepOwn()
    const put = (some: readonly JournalRow[]) => this.#put(own, some)
    if (put(rows)) return
    const [limit, files] = [this.#limit, this.#files.all]
    appendShedding(rows, shed, { limit, files, bytes: () => this.bytes, put })
    this.#full = shed.refused
  }

  #keepOwn(): JournalFile {
    try {
      return this.#files.keepOwn()
    } catch (error) {
      throw this.#readFault(error)
    }
  }

  #put(own: JournalFile, rows: readonly JournalRow[]): boolean {
    try {
      // It all goes through the log, in whole pages.
      const limit = this.#limit - 1.2 * bytesOf(rows) - 16 * 4096
      return own.append(rows, () => this.bytes <= limit)
    } catch (error) {
      throw this.#readFault(error)
    }
  }

  #readFault(error: unknown): unknown {
    if (isDiskFault(error)) this.#diskFull = true
    return error
  }

  /**
   * After a refusal all batches are refused until there is real room again. A small one that still fits would
   * make the big ones look like bad records.
   */
  #isFull(): boolean {
    if (!this.#full) return false
    for (const file of this.#files.all) file.trim()
    this.#full = this.bytes > this.#limit * 0.9
    return this.#full
  }

  #makeRoomOnDisk(): void {
    const { own } = this.#files
    if (!this.#diskFull) return
    if (own && own.waiting > 0 && freeBytes(this.#options.path) < freeAgain) {
      throw new SluiceError(`the disk of the journal ${this.#options.path} is full: make room`, {
        code: 'ERR_JOURNAL_DISK',
      })
    }
    if (own?.waiting === 0) this.#files.renewOwn()
    this.#diskFull = false
  }

  /** Does something, and once more where a file turns out to be damaged and was replaced. */
  #soundly<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (!isDamaged(error)) throw error
      this.#files.mend()
      return run()
    }
  }

  #trim(): void {
    this.#trimming = undefined
    attempt(() => {
      const { all, adopted, own } = this.#files
      for (const file of all) file.trim()
      for (const file of adopted) file.compact()
      // An outage leaves a big empty file.
      if (own?.waiting === 0 && own.bytes > this.#limit / 128) own.compact()
    })
  }

  #weighLetters(): void {
    attempt(() => {
      const files = deadLetterFiles(this.#options.path)
      this.#letterBytes = files.reduce((sum, path) => sum + sizeOf(path), 0)
    })
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
