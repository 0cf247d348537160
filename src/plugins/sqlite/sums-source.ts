import type { Values } from './combo-filter.ts'
import type { Scope } from './interception-list.ts'
import { dimensions } from './sums.ts'

/** Where the counts of hours (0) or days (1) are that a query asks for: the smallest table that has them. */
export function sumsOf(
  { query: { tool }, combos }: Scope,
  span: 0 | 1,
): { readonly tables: string; readonly conditions: readonly string[]; readonly values: Values } {
  const isTool = '(SELECT key FROM names WHERE text = $tool)'
  const of = (dimension: number, name: string) => [`dimension = ${dimension} AND name = ${name}`]
  if (span === 1 && !combos) {
    return tool === undefined
      ? { tables: 'totals', conditions: of(dimensions.none, '0'), values: {} }
      : { tables: 'totals', conditions: of(dimensions.tool, isTool), values: { tool } }
  }
  if (span === 1 && tool === undefined && combos?.only) {
    const { dimension, name } = combos.only
    return { tables: 'totals', conditions: of(dimension, '$name'), values: { name } }
  }
  const inCombos = combos?.keys
    ? 'sums.combo IN (SELECT value FROM json_each($combos))'
    : combos &&
      `sums.combo IN (SELECT key FROM combos WHERE key = sums.combo AND ${combos.conditions.join(' AND ')})`
  const values: Values = {
    ...(tool !== undefined && { tool }),
    ...(combos && (combos.keys === null ? combos.values : { combos: combos.keys })),
  }
  const conditions = [`sums.span = ${span}`, ...(inCombos ? [inCombos] : [])]
  if (tool !== undefined)
    return {
      tables: 'tool_cells AS sums',
      conditions: [...conditions, `sums.tool = ${isTool}`],
      values,
    }
  // Of few combos each has its place in an index; many are met in order of time.
  const index = combos?.keys && combos.interceptions < 20_000 ? 'INDEXED BY cells_by_combo' : ''
  return { tables: `cells AS sums ${index}`, conditions, values }
}
