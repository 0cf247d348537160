import type { AccountShape } from '../server/account-shapes.ts'
import { printable } from '../server/printable.ts'
import { forTerminal } from './for-terminal.ts'

export type RowOutput = 'table' | 'json'

/** Prints rows: aligned columns for people, one JSON array for programs. */
export function printRows(
  rows: readonly AccountShape[],
  columns: readonly string[],
  output: RowOutput,
): void {
  if (output === 'json') return printJson(rows)
  const lines = [
    columns.map((column) => column.toUpperCase().replaceAll('_', ' ')),
    ...rows.map((row) => columns.map((column) => printable(row[column] || '-'))),
  ]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  const text = lines.map((line) => line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
  process.stdout.write(`${text.map((line) => line.trimEnd()).join('\n')}\n`)
}

export function printJson(value: unknown): void {
  process.stdout.write(forTerminal(`${JSON.stringify(value, null, 2)}\n`))
}
