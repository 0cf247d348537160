import { workerData } from 'node:worker_threads'
import { SluiceError } from '../../core/errors.ts'
import { type Methods, serve } from '../sqlite/serve.ts'
import type { FileNews } from './file-news.ts'
import type { JournalRow } from './journal-file.ts'
import {
  type ForgetWish,
  JournalFolder,
  type JournalFolderOptions,
  type Shipment,
} from './journal-folder.ts'

/** How the journal is after a call. */
export interface Kept<T> {
  readonly result: T
  readonly bytes: number
  readonly waiting: number
  readonly news: readonly FileNews[]
}

const options = workerData as JournalFolderOptions
serve(`journal ${options.path}`, () => open(options))

function open(options: JournalFolderOptions): Methods {
  const folder = openFolder(options)
  const kept = <T>(result: T): Kept<T> => ({
    result,
    bytes: folder.bytes,
    waiting: folder.waiting,
    news: folder.news(),
  })
  return {
    append: (rows: readonly JournalRow[]) => kept(folder.append(rows)),
    next: (most: number) => kept(folder.next(most)),
    shipped: (shipment: Pick<Shipment, 'file' | 'upTo'>) => kept(folder.shipped(shipment)),
    adopt: () => kept(folder.adopt()),
    forget: (wish: ForgetWish) => kept(folder.forget(wish)),
    orphans: () => kept(folder.orphans),
    close: () => folder.close(),
  }
}

function openFolder(options: JournalFolderOptions): JournalFolder {
  try {
    return new JournalFolder(options)
  } catch (error) {
    throw new SluiceError(
      `the journal cannot be kept in ${options.path}: name a folder that this user can write (${(error as Error).message})`,
      { code: 'ERR_JOURNAL_OPEN' },
    )
  }
}
