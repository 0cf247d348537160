import { type Measures, measureNames } from '../../core/measures.ts'

/** The columns of sums, in the order of `measureNames`. */
export const measureColumns: readonly string[] = measureNames.map((name) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
)

export function measuresOf(row: Readonly<Record<string, unknown>>): Measures {
  const measures: Record<string, number> = {}
  for (const [index, name] of measureNames.entries())
    measures[name] = Number(row[measureColumns[index] as string] ?? 0)
  return measures as unknown as Measures
}

export function measureValues(measures: Measures): number[] {
  return measureNames.map((name) => measures[name])
}
