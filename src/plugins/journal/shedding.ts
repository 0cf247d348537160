import { bareBody, type JournalFile, type JournalRow } from './journal-file.ts'

/** What a full journal gave up to take a batch. */
export interface Shed {
  /** Records that lost their content. */
  stripped: number
  /** Records that were neither start, end nor usage, as JSON texts. */
  readonly dropped: string[]
  /** True where all that was not enough: the batch is not kept. */
  refused: boolean
}

export interface SheddingOptions {
  readonly limit: number
  /** Those of dead processes first: what they hold is older. */
  readonly files: readonly JournalFile[]
  /** All that counts towards the limit. */
  readonly bytes: () => number
  /** False where it does not fit. */
  readonly put: (rows: readonly JournalRow[]) => boolean
}

/** Made at once when the journal is full, so that not every batch has to make room for itself. */
const headroom = 8 * 1024 ** 2

/**
 * Commits a batch that does not fit: content of the oldest goes first, then the batch's own; then the oldest records
 * that are neither start, end nor usage, then the batch's own. Where even that is not enough it is refused. What
 * was given up is in `shed` also where it throws.
 */
export function appendShedding(
  rows: readonly JournalRow[],
  shed: Shed,
  { limit, files, bytes, put }: SheddingOptions,
): void {
  // As much again for the log, through which everything passes.
  const target = limit - Math.max(2 * bytesOf(rows), Math.min(limit / 10, headroom))
  const own = files.at(-1)

  function free(give: (file: JournalFile) => boolean): void {
    for (const file of files) {
      while (bytes() > target && give(file));
      // Nothing is added to the others: what is free in them is of use on the disk only.
      if (file !== own) file.compact()
    }
  }

  for (const file of files) file.trim()
  for (const file of files) file.emptyLog()
  free((file) => {
    const stripped = file.strip()
    shed.stripped += stripped
    return stripped > 0
  })
  if (put(rows)) return

  const bare = rows.map(
    ([essential, body]): JournalRow => [essential, essential ? body : bareBody(body)],
  )
  const stripped = bare.filter(([, body], index) => body !== rows[index]?.[1]).length
  if (stripped > 0 && put(bare)) {
    shed.stripped += stripped
    return
  }
  free((file) => {
    const dropped = file.drop()
    shed.dropped.push(...dropped)
    return dropped.length > 0
  })
  if (put(bare)) {
    shed.stripped += stripped
    return
  }
  if (!put(rows.filter(([essential]) => essential))) {
    shed.refused = true
    return
  }
  shed.dropped.push(...rows.filter(([essential]) => !essential).map(([, body]) => body))
}

/** Roughly what rows take in a file. */
export function bytesOf(rows: readonly JournalRow[]): number {
  return rows.reduce((sum, [, body]) => sum + Buffer.byteLength(body) + 100, 0)
}
