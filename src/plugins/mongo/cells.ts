import { addMeasures, type Measures, noMeasures } from '../../core/measures.ts'
import type { Summary } from '../../core/summary.ts'

/** What the interceptions of one initiator with the same names used in an hour. */
export interface Cell
  extends Pick<
    Summary,
    'initiatorId' | 'initiatorUsername' | 'provider' | 'providerName' | 'model' | 'client'
  > {
  /** Of those alone that called this tool, with its calls; null of all. */
  readonly tool: string | null
  readonly measures: Measures
}

/** One cell for each combination of names, and one more for each of its tools. */
export function cellsOf(summaries: Iterable<Summary>): Cell[] {
  const cells = new Map<string, Cell>()
  const add = (summary: Summary, tool: string | null, measures: Measures) => {
    const { initiatorId, initiatorUsername, provider, providerName, model, client } = summary
    const names = { initiatorId, initiatorUsername, provider, providerName, model, client, tool }
    const key = JSON.stringify(Object.values(names))
    const sum = addMeasures(cells.get(key)?.measures ?? noMeasures, measures)
    cells.set(key, { ...names, measures: sum })
  }
  for (const summary of summaries) {
    add(summary, null, summary.measures)
    for (const [tool, toolCalls] of Object.entries(summary.tools))
      add(summary, tool, { ...summary.measures, toolCalls })
  }
  return [...cells.values()]
}
