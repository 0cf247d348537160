import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import { makeFolder } from '../../core/make-folder.ts'
import { isDamaged, isDiskFault } from './disk-fault.ts'
import type { FileNews } from './file-news.ts'
import { JournalFile, setAside } from './journal-file.ts'
import { padToItsSize } from './salvage.ts'

export interface JournalFilesOptions {
  readonly path: string
  readonly name: string
  /** How many pages the log of each may have. */
  readonly logPages: number
}

const ending = '.journal'
/** Files of dead processes that are held at a time. */
const maxAdopted = 8

/** The files that a process holds of its journal: its own, and those of dead processes that it has taken over. */
export class JournalFiles {
  readonly #options: JournalFilesOptions
  /** Null as long as the disk has no room for one: what dead processes left is shipped all the same, and makes some. */
  #own: JournalFile | null = null
  #adopted: JournalFile[] = []
  #moreToAdopt = false
  /** How many names of our own are used up. */
  #made = 0
  #news: FileNews[] = []
  readonly #unreadable = new Set<string>()

  constructor(options: JournalFilesOptions) {
    this.#options = options
    makePrivate(options.path)
    try {
      this.#own = this.#makeOwn()
    } catch (error) {
      if (!isDiskFault(error)) throw error
    }
  }

  /** All that are held, those of dead processes first: what they hold is older. */
  get all(): readonly JournalFile[] {
    return this.#own ? [...this.#adopted, this.#own] : this.#adopted
  }

  get adopted(): readonly JournalFile[] {
    return this.#adopted
  }

  get own(): JournalFile | null {
    return this.#own
  }

  /** What became of files since it was asked. */
  news(): FileNews[] {
    return this.#news.splice(0)
  }

  /** The file to append to: made where it is not there yet, or not any more. */
  keepOwn(): JournalFile {
    const old = this.#own
    if (old?.isThere) return old
    makePrivate(this.#options.path)
    this.#own = this.#makeOwn()
    // Where this comes to no end, it is shipped from there.
    if (old) this.#adopted.push(old)
    for (const file of this.#adopted) {
      if (file.isThere) continue
      const records = this.#move(file)
      this.#drop(file)
      file.remove()
      this.#news.push({ type: 'removed', file: basename(file.path), records })
    }
    return this.#own
  }

  /** An empty one in its place, when there is room for it. */
  renewOwn(): void {
    this.#own?.remove()
    this.#own = null
  }

  /** Takes over the files that nobody holds: their processes are dead, or closed before all was stored. */
  adopt(): void {
    this.#moreToAdopt = false
    let isDamaged = false
    let found = 0
    attempt(() => this.keepOwn())
    for (const name of this.#names()) {
      if (this.#holds(name)) continue
      if (this.#adopted.length >= maxAdopted) {
        this.#moreToAdopt = true
        break
      }
      const file = this.#take(name)
      if (!file) continue
      this.#adopted.push(file)
      if (file.waiting === 0) continue
      found++
      isDamaged ||= file.isDamaged
      this.#news.push({ type: 'adopted', file: name })
    }
    if (isDamaged) this.mend()
    // What they take is not free in ours any more.
    if (found > 0) attempt(() => this.#own?.compact())
  }

  /** Removes those of dead processes that are stored, and takes over others in their place. */
  sweep(): void {
    for (const file of this.#adopted) {
      if (file.waiting > 0) continue
      this.#drop(file)
      file.remove()
    }
    if (this.#adopted.length === 0 && this.#moreToAdopt) this.adopt()
  }

  /** What is left of dead processes beside what was adopted, one by one. */
  *others(): Generator<JournalFile, undefined> {
    for (const name of this.#names()) {
      const file = this.#holds(name) ? null : this.#take(name)
      if (file) yield file
    }
  }

  /** Takes over one of the others. */
  take(file: JournalFile): void {
    this.#adopted.push(file)
  }

  /** Puts damaged files out of the way; what can be read of them goes on in our own. */
  mend(): void {
    const unsound = this.all.filter((file) => !file.isSound)
    // What can be read of a file may still not let itself be deleted: none of them is trusted then.
    const damaged = unsound.length > 0 ? unsound : [...this.all]
    for (const file of damaged) {
      if (file === this.#own) {
        this.#own = this.#makeOwn()
        this.#adopted.push(file)
      }
      const records = this.#move(file)
      this.#drop(file)
      file.abandon()
      this.#news.push({ type: 'damaged', file: `${basename(file.path)}.damaged`, records })
    }
  }

  /** What is not stored stays on disk. */
  close(): void {
    for (const file of this.all) {
      if (file.waiting === 0) file.remove()
      else file.close()
    }
  }

  #makeOwn(): JournalFile {
    const { path, name, logPages } = this.#options
    // Never a name again: SQLite would remove the new one's log when it closes the old one.
    for (; ; this.#made++) {
      const own = join(path, `${name}${this.#made === 0 ? '' : `-${this.#made}`}${ending}`)
      // Null where another process took over what this one left when it was closed.
      const file = JournalFile.make(own, logPages)
      if (!file) continue
      this.#made++
      return file
    }
  }

  /** Commits what can be read of a file to our own: also past the bound, for it counts already. */
  #move(file: JournalFile): number {
    let records = 0
    for (const rows of file.left()) {
      this.keepOwn().append(rows, () => true)
      records += rows.length
    }
    return records
  }

  #drop(file: JournalFile): void {
    this.#adopted = this.#adopted.filter((each) => each !== file)
  }

  #names(): string[] {
    return readdirSync(this.#options.path)
      .filter((name) => name.endsWith(ending))
      .sort()
  }

  #holds(name: string): boolean {
    return this.all.some(({ path }) => basename(path) === name)
  }

  /** One that cannot be opened holds up no other. */
  #take(name: string): JournalFile | null {
    const path = join(this.#options.path, name)
    const open = () => JournalFile.take(path, this.#options.logPages)
    try {
      try {
        return open()
      } catch (error) {
        // Else SQLite reads nothing of it.
        if (!isDamaged(error) || !padToItsSize(path)) throw error
        return open()
      }
    } catch (error) {
      if (isDamaged(error)) {
        setAside(path)
        this.#news.push({ type: 'damaged', file: `${name}.damaged`, records: 0 })
      } else if (!this.#unreadable.has(name)) {
        this.#unreadable.add(name)
        this.#news.push({ type: 'unreadable', file: name, error: messageOf(error) })
      }
      return null
    }
  }
}

/** For what comes round again: what ails the disk shows in the next batch. */
export function attempt(run: () => void): void {
  try {
    run()
  } catch {}
}

/** The folder is its owner's alone, and git passes by what we make. */
function makePrivate(path: string): void {
  const made = makeFolder(path)
  if (made !== undefined) writeFileSync(join(made, '.gitignore'), '*\n', { mode: 0o600 })
  else if (basename(path) === 'journal') chmodSync(path, 0o700)
}
