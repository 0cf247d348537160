import type { ValuesQuery } from '../../core/store.ts'
import type { Summary } from '../../core/summary.ts'
import { owner } from './matching.ts'

/** What occurs in the summaries that may be seen, each once, in order. */
export function valuesOf(
  summaries: readonly Summary[],
  { of, visibleTo, prefix = '', limit = 100, offset = 0 }: ValuesQuery,
): string[] {
  const names = (summary: Summary): readonly string[] => {
    if (of === 'tool') return Object.keys(summary.tools)
    return [of === 'initiator' ? summary.initiatorUsername : summary[of]]
  }
  const seen = summaries.filter(owner(visibleTo === undefined ? {} : { visibleTo }))
  return [...new Set(seen.flatMap(names))]
    .filter((name) => name.startsWith(prefix))
    .sort()
    .slice(offset, offset + limit)
}
