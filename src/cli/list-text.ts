import { stringify } from 'csv-stringify/sync'
import { forTerminal } from './for-terminal.ts'
import { type TableColumn, tableText } from './table-text.ts'

export type ListOutput = 'json' | 'ndjson' | 'csv' | 'table'

export const listOutputs: readonly ListOutput[] = ['json', 'ndjson', 'csv', 'table']

export interface ListColumns<T> {
  readonly table: readonly TableColumn<T>[]
  readonly csv: Readonly<Record<string, (row: T) => unknown>>
}

/** Things as text in pieces, as they come. */
export function listText<T>(
  rows: AsyncIterable<T>,
  output: ListOutput,
  { table, csv }: ListColumns<T>,
): AsyncIterable<string> {
  if (output === 'table') return tableText(rows, table)
  if (output === 'csv') return csvText(rows, csv)
  return output === 'ndjson' ? lines(rows) : array(rows)
}

/** What `JSON.stringify(rows, null, 2)` would give of all of them. */
async function* array(rows: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  let before = '[\n  '
  for await (const row of rows) {
    yield before + forTerminal(JSON.stringify(row, null, 2)).replaceAll('\n', '\n  ')
    before = ',\n  '
  }
  yield before.startsWith('[') ? '[]\n' : '\n]\n'
}

async function* lines(rows: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  for await (const row of rows) yield forTerminal(`${JSON.stringify(row)}\n`)
}

async function* csvText<T>(
  rows: AsyncIterable<T>,
  columns: ListColumns<T>['csv'],
): AsyncGenerator<string, void> {
  yield csvLine(Object.keys(columns))
  for await (const row of rows) yield csvLine(Object.values(columns).map((column) => column(row)))
}

/** What strangers wrote must not run as a formula where it is opened. */
function csvLine(cells: readonly unknown[]): string {
  const texts = cells.map((cell) => (typeof cell === 'boolean' ? String(cell) : cell))
  return forTerminal(stringify([texts], { escape_formulas: true }))
}
