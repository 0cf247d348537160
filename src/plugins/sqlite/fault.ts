import { messageOf, SluiceError } from '../../core/errors.ts'

/** An error as it crosses threads: structured clone keeps neither its class nor its code. */
export interface Fault {
  readonly code: string
  readonly message: string
  readonly status?: number
}

/** What SQLite said, with the file's name and the way out. */
export function faultOf(error: unknown, path: string): Fault {
  if (error instanceof SluiceError)
    return { code: error.code, message: error.message, status: error.status }
  const [code, what] = reading(error)
  return { code, message: `${what} (${path}: ${messageOf(error)})` }
}

// SQLite's result codes, https://sqlite.org/rescode.html; the extended ones carry them in the low byte.
const readings: Readonly<Record<number, readonly [code: string, what: string]>> = {
  5: ['ERR_STORE_LOCKED', 'another program holds the store locked: end it, or name another file'],
  8: [
    'ERR_STORE_READONLY',
    'the store may not be written: let this user write the file and its folder',
  ],
  10: ['ERR_STORE_IO', 'the disk failed under the store: look at the disk'],
  11: [
    'ERR_STORE_CORRUPT',
    'the store is damaged: move it away and start with a new one, or a copy',
  ],
  13: ['ERR_STORE_FULL', 'the disk is full: make room'],
  14: [
    'ERR_STORE_OPEN',
    'the store cannot be opened: name a file in a folder that this user can write',
  ],
  26: ['ERR_STORE_FOREIGN', 'this file is no SQLite database: name another file'],
}

/** Whether SQLite could not walk through what the file, or the text index, has. */
export function isCorrupt(error: unknown): boolean {
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === 11
}

function reading(error: unknown): readonly [code: string, what: string] {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  const known = typeof errcode === 'number' ? readings[errcode & 0xff] : undefined
  if (known) return known
  if (['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST'].includes(String(code)))
    return readings[14] as readonly [string, string]
  if (code === 'ENOSPC') return readings[13] as readonly [string, string]
  return ['ERR_STORE', 'the store failed']
}
