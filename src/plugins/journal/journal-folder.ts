import { chmodSync, readdirSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SluiceError } from '../../core/errors.ts'
import { makeFolder } from '../../core/make-folder.ts'
import { deadLetterFiles } from './dead-letters.ts'
import { isDamaged, isDiskFault } from './disk-fault.ts'
import { Forgetter, type Forgetting, type StraysTold } from './forgetter.ts'
import type { Forgotten } from './forgotten.ts'
import {
  bareBody,
  type JournalBatch,
  JournalFile,
  type JournalRow,
  setAside,
} from './journal-file.ts'

export interface JournalFolderOptions {
  /** The folder. */
  readonly path: string
  /** This process's own file in it, without its ending. */
  readonly name: string
  readonly maxBytes: number
}

/** What a full journal gave up to take a batch. */
export interface Shed {
  /** Records that lost their content. */
  stripped: number
  /** Records that were neither start, end nor usage, as JSON texts. */
  readonly dropped: string[]
  /** True where all that was not enough: the batch is not kept. */
  refused: boolean
}

export interface Shipment extends JournalBatch {
  readonly file: string
}

/** What was found in the folder. */
export interface Adopted {
  readonly adopted: string[]
  readonly damaged: string[]
}

export interface ForgetWish {
  readonly what: Forgotten
  /** From the beginning. */
  readonly anew: boolean
  readonly told?: StraysTold
}

const ending = '.journal'
/** Files of dead processes that are held at a time. */
const maxAdopted = 8
/** Made at once when the journal is full, so that not every batch has to make room for itself. */
const headroom = 8 * 1024 ** 2
/** A disk that was full is tried again when this much is free. */
const freeAgain = 4 * 1024 ** 2

/**
 * The journal of one process: its own file, and those of dead processes that it has taken over. All within one
 * bound; what is given up at it, and in which order, is `append`.
 */
export class JournalFolder {
  readonly #options: JournalFolderOptions
  readonly #limit: number
  readonly #logPages: number
  #own: JournalFile
  #adopted: JournalFile[] = []
  #moreToAdopt = false
  #turn = 0
  #full = false
  #diskFull = false
  #letterBytes = 0
  #trimming: NodeJS.Timeout | undefined
  #forgetter: Forgetter | null = null

  constructor(options: JournalFolderOptions) {
    this.#options = options
    this.#logPages = Math.max(16, Math.min(4000, Math.trunc(options.maxBytes / 32 / 4096)))
    // The log may grow by as much before SQLite begins it anew.
    this.#limit = options.maxBytes - this.#logPages * 4096
    makePrivate(options.path)
    this.#own = this.#makeOwn()
    this.#weighLetters()
  }

  /** All bytes that count towards the bound. */
  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + file.bytes, this.#letterBytes)
  }

  get waiting(): number {
    return this.#files.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  /** How many records of dead processes wait in files that it took over. */
  get orphans(): number {
    return this.#adopted.reduce((sum, { waiting }) => sum + waiting, 0)
  }

  /**
   * Commits a batch. Where it does not fit: content of the oldest goes first, then the batch's own; then the
   * oldest records that are neither start, end nor usage, then the batch's own. Where even that is not enough it
   * is refused.
   */
  append(rows: readonly JournalRow[]): Shed {
    const shed: Shed = { stripped: 0, dropped: [], refused: this.#hasNoRoom() }
    if (shed.refused) return shed
    if (this.#put(rows)) return shed
    // As much again for the log, through which everything passes.
    const target = this.#limit - Math.max(2 * bytesOf(rows), Math.min(this.#limit / 10, headroom))
    for (const file of this.#files) file.trim()
    for (const file of this.#files) file.emptyLog()
    this.#free(target, (file) => {
      const stripped = file.strip()
      shed.stripped += stripped
      return stripped > 0
    })
    if (this.#put(rows)) return shed

    const bare = rows.map(
      ([essential, body]): JournalRow => [essential, essential ? body : bareBody(body)],
    )
    const stripped = bare.filter(([, body], index) => body !== rows[index]?.[1]).length
    if (stripped > 0 && this.#put(bare)) {
      shed.stripped += stripped
      return shed
    }
    this.#free(target, (file) => {
      const dropped = file.drop()
      shed.dropped.push(...dropped)
      return dropped.length > 0
    })
    if (this.#put(bare)) {
      shed.stripped += stripped
      return shed
    }
    const essential = rows.filter(([essential]) => essential)
    if (!this.#put(essential)) {
      this.#full = true
      shed.refused = true
      return shed
    }
    shed.dropped.push(...rows.filter(([essential]) => !essential).map(([, body]) => body))
    return shed
  }

  /** What is to be stored next, at most so many records, of each file in turn. */
  next(most: number): Shipment | null {
    this.#weighLetters()
    this.#adopted = this.#adopted.filter((file) => {
      if (file.waiting > 0) return true
      file.remove()
      return false
    })
    if (this.#adopted.length === 0 && this.#moreToAdopt) this.adopt()
    const files = this.#files
    for (let tries = 0; tries < files.length; tries++) {
      const file = files[this.#turn++ % files.length] as JournalFile
      const batch = file.next(most)
      if (batch) return { file: file.id, ...batch }
    }
    return null
  }

  shipped({ file: id, upTo }: Pick<Shipment, 'file' | 'upTo'>): void {
    this.#files.find((file) => file.id === id)?.shipped(upTo)
    this.#trimming ??= setTimeout(() => this.#trim(), 250).unref()
  }

  /** Takes over the files that nobody holds: their processes are dead, or closed before all was stored. */
  adopt(): Adopted {
    const found: Adopted = { adopted: [], damaged: [] }
    this.#moreToAdopt = false
    for (const name of journalsIn(this.#options.path)) {
      if (this.#files.some(({ path }) => basename(path) === name)) continue
      if (this.#adopted.length >= maxAdopted) {
        this.#moreToAdopt = true
        break
      }
      const file = this.#take(name)
      if (file === 'damaged') found.damaged.push(`${name}.damaged`)
      if (!file || file === 'damaged') continue
      if (file.waiting > 0) found.adopted.push(name)
      this.#adopted.push(file)
    }
    // What they take is not free in ours any more.
    if (found.adopted.length > 0) this.#own.compact()
    return found
  }

  /** Goes through all that waits, a little with each call, so that who appends does not wait long. */
  forget({ what, anew, told }: ForgetWish): Forgetting {
    if (anew) {
      this.#forgetter?.release()
      const others = this.#others()
      const next = () => others.next().value ?? null
      this.#forgetter = new Forgetter({ what, held: () => this.#files, next })
    }
    if (!this.#forgetter) throw new Error('forget: it was not begun')
    const step = this.#forgetter.step(told)
    if (step.done) this.#forgetter = null
    return step
  }

  /** What is left of dead processes beside what was adopted, one by one. */
  *#others(): Generator<JournalFile, undefined> {
    for (const name of journalsIn(this.#options.path)) {
      if (this.#files.some(({ path }) => basename(path) === name)) continue
      const file = this.#take(name)
      if (file && file !== 'damaged') yield file
    }
  }

  #take(name: string): JournalFile | 'damaged' | null {
    const path = join(this.#options.path, name)
    try {
      return JournalFile.take(path, this.#logPages)
    } catch (error) {
      if (!isDamaged(error)) throw error
      setAside(path)
      return 'damaged'
    }
  }

  /** What is not stored stays on disk. */
  close(): void {
    clearTimeout(this.#trimming)
    this.#forgetter?.release()
    for (const file of this.#files) {
      if (file.waiting === 0) file.remove()
      else file.close()
    }
  }

  /** Those of dead processes first: what they hold is older. */
  get #files(): JournalFile[] {
    return [...this.#adopted, this.#own]
  }

  #makeOwn(): JournalFile {
    const { path, name } = this.#options
    // Where another process took over what this one left when it was closed, it begins another file.
    for (let count = 0; ; count++) {
      const own = join(path, `${name}${count === 0 ? '' : `-${count}`}${ending}`)
      const file = JournalFile.make(own, this.#logPages)
      if (file) return file
    }
  }

  #put(rows: readonly JournalRow[]): boolean {
    try {
      const limit = this.#limit - bytesOf(rows)
      return this.#own.append(rows, () => this.bytes <= limit)
    } catch (error) {
      if (isDamaged(error)) {
        this.#own.abandon()
        this.#own = this.#makeOwn()
      }
      if (isDiskFault(error)) this.#diskFull = true
      throw error
    }
  }

  /**
   * After a refusal all batches are refused until there is real room again. A small one that still fits would
   * make the big ones look like bad records.
   */
  #hasNoRoom(): boolean {
    if (this.#full) {
      for (const file of this.#files) file.trim()
      if (this.bytes > this.#limit * 0.9) return true
    }
    this.#full = false
    if (!this.#diskFull) return false
    if (this.#own.waiting === 0) this.#renew()
    else if (freeBytes(this.#options.path) < freeAgain) {
      throw new SluiceError(`the disk of the journal ${this.#options.path} is full: make room`, {
        code: 'ERR_JOURNAL_DISK',
      })
    }
    this.#diskFull = false
    return false
  }

  #free(target: number, give: (file: JournalFile) => boolean): void {
    for (const file of this.#files) {
      while (this.bytes > target && give(file));
      // Nothing is added to the others: what is free in them is of use on the disk only.
      if (file !== this.#own) file.compact()
    }
  }

  #trim(): void {
    this.#trimming = undefined
    try {
      for (const file of this.#files) file.trim()
      for (const file of this.#adopted) file.compact()
      // An outage leaves a big empty file.
      if (this.#own.waiting === 0 && this.#own.bytes > this.#limit / 128) this.#own.compact()
    } catch {
      // What ails the disk shows in the next batch; the rows are passed over meanwhile.
    }
  }

  #weighLetters(): void {
    const files = deadLetterFiles(this.#options.path)
    this.#letterBytes = files.reduce((sum, path) => sum + sizeOf(path), 0)
  }

  #renew(): void {
    this.#own.remove()
    this.#own = this.#makeOwn()
  }
}

function journalsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
}

function bytesOf(rows: readonly JournalRow[]): number {
  return rows.reduce((sum, [, body]) => sum + Buffer.byteLength(body) + 100, 0)
}

/** The folder is its owner's alone, and git passes by what we make. */
function makePrivate(path: string): void {
  const made = makeFolder(path)
  if (made !== undefined) writeFileSync(join(made, '.gitignore'), '*\n', { mode: 0o600 })
  else if (basename(path) === 'journal') chmodSync(path, 0o700)
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
