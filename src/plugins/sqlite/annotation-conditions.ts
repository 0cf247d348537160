import type { Values } from './combo-filter.ts'

/** Those that have columns with an index each. */
const columns: ReadonlySet<string> = new Set(['repo', 'branch', 'issue'])

/** Of the table `interceptions`: all that are wanted must be there. Names of columns are literals, so that indexes serve. */
export function annotationConditions(annotations: Readonly<Record<string, string>>): {
  readonly conditions: readonly string[]
  readonly indexed: boolean
  readonly values: Values
} {
  // One with an index comes first.
  const pairs = Object.entries(annotations).toSorted(
    ([a], [b]) => Number(columns.has(b)) - Number(columns.has(a)),
  )
  return {
    conditions: pairs.map(([name], index) =>
      columns.has(name)
        ? `interceptions.${name} = $value${index}`
        : `EXISTS (
             SELECT 1 FROM records, json_each(body, '$.annotations') AS annotation
             WHERE interception_id = interceptions.id AND records.type = 'interception_start'
               AND annotation.key = $name${index} AND annotation.value = $value${index})`,
    ),
    indexed: pairs.some(([name]) => columns.has(name)),
    values: Object.fromEntries(
      pairs.flatMap(([name, value], index) => [
        [`value${index}`, value],
        ...(columns.has(name) ? [] : [[`name${index}`, name]]),
      ]),
    ) as Values,
  }
}
