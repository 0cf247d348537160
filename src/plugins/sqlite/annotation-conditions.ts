import type { DatabaseSync } from 'node:sqlite'
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

/** So many are looked at one by one; where there are more, walking through time finds the page sooner. */
const few = 20_000

export function hasRareAnnotations(
  database: DatabaseSync,
  annotations: Readonly<Record<string, string>> = {},
): boolean {
  const { conditions, indexed, values } = annotationConditions(annotations)
  if (!indexed) return false
  const row = database
    .prepare(
      `SELECT count(*) AS n FROM (
         SELECT 1 FROM interceptions WHERE ended = 1 AND ${conditions[0]} LIMIT ${few})`,
    )
    .get({ value0: values.value0 ?? null })
  return Number(row?.n) < few
}
