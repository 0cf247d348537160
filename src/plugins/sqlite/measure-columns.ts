import { type Measures, measureNames } from '../../core/measures.ts'

/** The columns of sums, in the order of `measureNames`. */
export const measureColumns: readonly string[] = measureNames.map((name) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
)

/** The columns of a session that have numbers. */
export const sessionNumbers: readonly string[] = [
  ...['kind', 'started_at', 'ended_at', 'last_active_at', 'prompt_at', 'threads'],
  ...measureColumns,
]

/** Columns as numbers that JavaScript has: a damaged one may be larger than any, or none. */
export function asNumbers(columns: readonly string[], table: string): string {
  return columns.map((column) => `CAST(${table}.${column} AS REAL) AS ${column}`).join(', ')
}

export function measuresOf(row: Readonly<Record<string, unknown>>): Measures {
  const measures: Record<string, number> = {}
  for (const [index, name] of measureNames.entries())
    measures[name] = Number(row[measureColumns[index] as string] ?? 0)
  return measures as unknown as Measures
}

export function measureValues(measures: Measures): number[] {
  return measureNames.map((name) => measures[name])
}
