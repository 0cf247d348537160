import type { DatabaseSync } from 'node:sqlite'
import { measureColumns } from './measure-columns.ts'

export const hour = 3_600_000
export const day = 86_400_000
/** Sums are kept for hours and, so that a month costs little, for days. */
const spans: readonly (readonly [span: number, length: number])[] = [
  [0, hour],
  [1, day],
]

/** What is summed by day alone, whoever else had part in it: the columns of a combo, all, and tools. */
export const dimensions = {
  none: 0,
  user: 1,
  provider: 2,
  providerName: 3,
  model: 4,
  client: 5,
  outcome: 6,
  tool: 7,
} as const

/** The beginning of the hour or day of a time, as SQL: `/` does not cut where a value is bound, and times may be negative. */
export function bucketOf(time: string, length: number | string): string {
  return `(${time} - (${time} % ${length} + ${length}) % ${length})`
}

/** What a dimension's totals are grouped by, of `sums` joined with its `combos`. */
export function dimensionColumn(name: string): string {
  if (name === 'none') return '0'
  if (name === 'tool') return 'sums.tool'
  return `combos.${name === 'user' ? 'initiator' : name === 'providerName' ? 'provider_name' : name}`
}

/** How often each tool was called, of a row of `summaries`, for `json_each`: damaged text would end the query. */
export const soundTools = "iif(json_valid(tools), tools, '{}')"

/** What one interception, or one less, changes. */
export interface Part {
  readonly startedAt: number
  readonly combo: number
  readonly measures: readonly number[]
  /** Calls by the tool's key. */
  readonly tools: readonly (readonly [tool: number, calls: number])[]
}

/** Gathers what a transaction changes in sums, and writes each sum once. */
export interface Sums {
  add(part: Part, sign: 1 | -1): void
  flush(): void
  forget(): void
}

const toolCalls = measureColumns.indexOf('tool_calls')

export function sums(database: DatabaseSync): Sums {
  const cells = summed(database, 'cells', ['span', 'at', 'combo'])
  const toolCells = summed(database, 'tool_cells', ['span', 'tool', 'at', 'combo'])
  const count = database.prepare(
    'UPDATE combos SET interceptions = interceptions + ? WHERE key = ?',
  )
  const totals = summed(database, 'totals', ['dimension', 'at', 'name'])
  const partsOf = database.prepare(
    'SELECT initiator, provider, provider_name, model, client, outcome FROM combos WHERE key = ?',
  )
  partsOf.setReturnArrays(true)
  const combos = new Map<number, number>()

  return {
    add({ startedAt, combo, measures, tools }, sign) {
      combos.set(combo, (combos.get(combo) ?? 0) + sign)
      const today = Math.floor(startedAt / day) * day
      totals.add([dimensions.none, today, 0], measures, sign)
      // None in a damaged file: reindex makes all sums anew.
      const parts = (partsOf.get(combo) ?? []) as unknown as number[]
      for (const [index, name] of parts.entries())
        totals.add([index + dimensions.user, today, name], measures, sign)
      for (const [tool, calls] of tools)
        totals.add([dimensions.tool, today, tool], measures.with(toolCalls, calls), sign)
      for (const [span, length] of spans) {
        const at = Math.floor(startedAt / length) * length
        cells.add([span, at, combo], measures, sign)
        for (const [tool, calls] of tools)
          toolCells.add([span, tool, at, combo], measures.with(toolCalls, calls), sign)
      }
    },
    flush() {
      for (const [combo, by] of combos) if (by !== 0) count.run(by, combo)
      combos.clear()
      cells.flush()
      toolCells.flush()
      totals.flush()
    },
    forget() {
      combos.clear()
      cells.forget()
      toolCells.forget()
      totals.forget()
    },
  }
}

function summed(database: DatabaseSync, table: string, keys: readonly string[]) {
  const columns = [...keys, ...measureColumns]
  const change = database.prepare(`
    INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (${keys.join(', ')}) DO UPDATE SET
      ${measureColumns.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`)
  const dropEmpty = database.prepare(`
    DELETE FROM ${table}
    WHERE (${keys.join(', ')}) = (${keys.map(() => '?').join(', ')}) AND interceptions = 0`)
  const changes = new Map<string, { readonly at: readonly number[]; readonly by: number[] }>()

  return {
    add(at: readonly number[], measures: readonly number[], sign: 1 | -1) {
      const label = at.join(' ')
      const change = changes.get(label)
      if (!change) changes.set(label, { at, by: measures.map((value) => sign * value) })
      else
        for (const [index, value] of measures.entries())
          change.by[index] = (change.by[index] ?? 0) + sign * value
    },
    flush() {
      for (const { at, by } of changes.values()) {
        if (by.every((value) => value === 0)) continue
        change.run(...at, ...by)
        if ((by[0] ?? 0) < 0) dropEmpty.run(...at)
      }
      changes.clear()
    },
    forget: () => changes.clear(),
  }
}
