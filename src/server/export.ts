import type { InterceptionFilter, Recorder } from '../core/recorder.ts'
import { csvHead, csvRows } from './export-csv.ts'
import { exportLine } from './export-line.ts'
import { exportPages } from './export-pages.ts'

export type ExportFormat = 'ndjson' | 'csv'

export interface ExportOptions {
  readonly store: Pick<Recorder, 'interceptions'>
  /** Those that started before now, unless it says otherwise: so it comes to an end while more arrive. */
  readonly filter?: InterceptionFilter
  readonly format?: ExportFormat
  /** Called after each page with how many interceptions were told so far. */
  readonly onProgress?: (interceptions: number) => void
}

/** Interceptions, the oldest first, as text in pieces: takes the memory of a page, however many there are. */
export async function* exportText({
  store,
  filter = {},
  format = 'ndjson',
  onProgress = () => {},
}: ExportOptions): AsyncGenerator<string, void> {
  const startedBefore = filter.startedBefore ?? new Date().toISOString()
  let told = 0
  if (format === 'csv') yield csvHead()
  for await (const page of exportPages(store, { ...filter, startedBefore })) {
    // A page may be megabytes: in pieces others get a turn where a reader is slow.
    for (let index = 0; index < page.length; index += rows) {
      const part = page.slice(index, index + rows)
      yield format === 'csv' ? csvRows(part) : part.map((each) => `${exportLine(each)}\n`).join('')
    }
    told += page.length
    onProgress(told)
  }
}

const rows = 50
