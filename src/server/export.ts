import { setImmediate as turn } from 'node:timers/promises'
import type { InterceptionFilter, Recorder, StoredInterception } from '../core/recorder.ts'
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
  /** Called where records of an interception were damaged and are left out. */
  readonly onDamaged?: (records: number) => void
}

/** Interceptions, the oldest first, as text in pieces: takes the memory of a page, however many there are. */
export async function* exportText({
  store,
  filter = {},
  format = 'ndjson',
  onProgress = () => {},
  onDamaged = () => {},
}: ExportOptions): AsyncGenerator<string, void> {
  const startedBefore = filter.startedBefore ?? new Date().toISOString()
  let told = 0
  if (format === 'csv') yield csvHead()
  for await (const page of exportPages(store, { ...filter, startedBefore })) {
    for (const piece of format === 'csv' ? csvPieces(page) : linePieces(page)) {
      yield piece
      await turn()
    }
    for (const { damaged } of page) if (damaged) onDamaged(damaged.length)
    told += page.length
    onProgress(told)
  }
}

// A page may be megabytes: between pieces streams are given a turn.
const rows = 50
const characters = 256 * 1024

function* csvPieces(page: readonly StoredInterception[]): Generator<string, void> {
  for (let index = 0; index < page.length; index += rows)
    yield csvRows(page.slice(index, index + rows))
}

function* linePieces(page: readonly StoredInterception[]): Generator<string, void> {
  let text = ''
  for (const each of page) {
    text += `${exportLine(each)}\n`
    if (text.length < characters) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}
