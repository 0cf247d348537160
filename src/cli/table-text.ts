import stringWidth from 'string-width'
import { printable } from '../server/printable.ts'

export interface TableColumn<T> {
  /** Its heading. */
  readonly name: string
  readonly cell: (row: T) => unknown
  /** Figures stand below each other. @default 'left' */
  readonly align?: 'left' | 'right'
}

/** A cell is cut behind so many columns of the terminal. */
const widest = 48
/** Widths are those of the first rows: a table may have no end. */
const measured = 200

/** Aligned columns with a heading, as lines. What strangers wrote can't drive the terminal. */
export async function* tableText<T>(
  rows: AsyncIterable<T> | Iterable<T>,
  columns: readonly TableColumn<T>[],
): AsyncGenerator<string, void> {
  let widths: readonly number[] | undefined
  const held: string[][] = [columns.map(({ name }) => name.toUpperCase().replaceAll('_', ' '))]
  const line = (cells: readonly string[]) => {
    const parts = cells.map((cell, at) => padded(cell, widths?.[at] ?? 0, columns[at]?.align))
    return `${parts.join('  ').trimEnd()}\n`
  }
  const measure = () => {
    widths = columns.map((_, at) => Math.max(...held.map((cells) => stringWidth(cells[at] ?? ''))))
    return held.splice(0).map(line).join('')
  }
  for await (const row of rows) {
    const cells = columns.map(({ cell }) => cellText(cell(row)))
    if (widths) yield line(cells)
    else if (held.push(cells) > measured) yield measure()
  }
  if (!widths) yield measure()
}

function cellText(value: unknown): string {
  const isNothing = value === null || value === undefined || value === ''
  return isNothing ? '-' : shortened(printable(String(value)).trim(), widest)
}

/** Cut to so many columns of a terminal, in which some letters take two. */
export function shortened(text: string, width: number): string {
  if (text.length <= width / 2 || stringWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const { segment } of graphemes.segment(text.slice(0, width * 8))) {
    used += stringWidth(segment)
    if (used > width - 1) break
    kept += segment
  }
  return `${kept}…`
}

const graphemes = new Intl.Segmenter()

function padded(cell: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - stringWidth(cell)))
  return align === 'right' ? space + cell : cell + space
}
