import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { makeFolder } from '../../core/make-folder.ts'

/** The file of a process that died, locked by us. */
export interface DeadMark {
  remove(): void
  letGo(): void
}

/**
 * Shows other processes that this one lives: a file of its own under an exclusive SQLite lock, which the
 * system takes back when the process dies, however it dies.
 */
export class ProcessMark {
  readonly processId: string
  readonly #folder: string
  readonly #path: string
  readonly #lock: DatabaseSync
  #looked = { at: Number.NEGATIVE_INFINITY, alone: false }

  constructor(store: string, processId: string) {
    this.processId = processId
    this.#folder = `${store}.processes`
    makeFolder(this.#folder)
    const [path, lock] = this.#hold()
    this.#path = path
    this.#lock = lock
  }

  release(): void {
    rmSync(this.#path, { force: true })
    this.#lock.close()
  }

  /** Whether no other process, living or dead, has a mark; looked up once a second at most. */
  isAlone(): boolean {
    const now = performance.now()
    if (now - this.#looked.at > 1000) {
      const marks = readdirSync(this.#folder).filter((name) => !name.startsWith(this.processId))
      this.#looked = { at: now, alone: marks.length === 0 }
    }
    return this.#looked.alone
  }

  /**
   * The ids of the other processes that live, and the marks of those that do not. The dead ones' are
   * locked until they are let go: nobody can take one for a newcomer's.
   */
  others(): { alive: Set<string>; dead: DeadMark[] } {
    const alive = new Set<string>()
    const dead: DeadMark[] = []
    for (const name of readdirSync(this.#folder)) {
      const [, id] = /^(.+)~[0-9a-f]+\.lock$/.exec(name) ?? []
      // Two recorders of one process have one id and a file each.
      if (id === undefined || id === this.processId) continue
      const path = join(this.#folder, name)
      const lock = tryLock(path)
      if (lock === 'locked') alive.add(id)
      else if (lock) dead.push({ remove: () => rmSync(path), letGo: () => lock.close() })
    }
    return { alive, dead }
  }

  #hold(): [path: string, lock: DatabaseSync] {
    for (;;) {
      const path = join(this.#folder, `${this.processId}~${randomUUID().slice(0, 8)}.lock`)
      closeSync(openSync(path, 'wx', 0o600))
      const lock = tryLock(path)
      // A reaper may have found the file before its lock and removed it.
      if (lock && lock !== 'locked' && existsSync(path)) return [path, lock]
      if (lock && lock !== 'locked') lock.close()
    }
  }
}

function tryLock(path: string): DatabaseSync | 'locked' | null {
  const url = pathToFileURL(path)
  // Never made here: a file that has just been removed would come back.
  url.searchParams.set('mode', 'rw')
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(url, { timeout: 0 })
    // In memory, or a journal's file would stay behind.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    return (error as { errcode?: number }).errcode === 5 || existsSync(path) ? 'locked' : null
  }
}
