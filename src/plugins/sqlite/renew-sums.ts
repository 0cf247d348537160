import type { Slices } from './chores.ts'
import { measureColumns } from './measure-columns.ts'
import type { StoreWriter } from './store-writer.ts'
import { bucketOf, day, dimensionColumn, dimensions, hour, soundTools } from './sums.ts'

/** Hour by hour from the summaries, then day by day from the hours. */
export async function renewSums({ database }: StoreWriter, slices: Slices): Promise<void> {
  const columns = measureColumns.join(', ')
  const summed = measureColumns.map((column) => `sum(${column})`).join(', ')
  const ofTool = measureColumns
    .map((column) => (column === 'tool_calls' ? 'sum(calls)' : `sum(summaries.${column})`))
    .join(', ')
  const within = 'key >= $at << 20 AND key < ($at + $length) << 20'
  const hourly = [
    'DELETE FROM cells WHERE span = 0 AND at >= $at AND at < $at + $length',
    `INSERT INTO cells (span, at, combo, ${columns})
     SELECT 0, $at, combo, ${summed} FROM summaries WHERE ${within} GROUP BY combo`,
    'DELETE FROM tool_cells WHERE span = 0 AND at >= $at AND at < $at + $length',
    `INSERT INTO tool_cells (span, tool, at, combo, ${columns})
     SELECT 0, tool, $at, summaries.combo, ${ofTool}
     FROM summaries CROSS JOIN json_each(${soundTools}) AS called
       CROSS JOIN names ON names.text = called.key
       CROSS JOIN tool_uses ON (tool_uses.tool, tool_uses.key) = (names.key, summaries.key)
     WHERE summaries.${within.replace('AND key', 'AND summaries.key')} GROUP BY tool, summaries.combo`,
  ]
  const daily = [
    'DELETE FROM cells WHERE span = 1 AND at >= $at AND at < $at + $length',
    `INSERT INTO cells (span, at, combo, ${columns})
     SELECT 1, $at, combo, ${summed} FROM cells
     WHERE span = 0 AND at >= $at AND at < $at + $length GROUP BY combo`,
    'DELETE FROM tool_cells WHERE span = 1 AND at >= $at AND at < $at + $length',
    `INSERT INTO tool_cells (span, tool, at, combo, ${columns})
     SELECT 1, tool, $at, combo, ${summed} FROM tool_cells
     WHERE span = 0 AND at >= $at AND at < $at + $length GROUP BY tool, combo`,
    'DELETE FROM totals WHERE at >= $at AND at < $at + $length',
    ...Object.entries(dimensions).map(
      ([name, dimension]) =>
        `INSERT INTO totals (dimension, at, name, ${columns})
         SELECT ${dimension}, $at, ${dimensionColumn(name)}, ${summed.replaceAll('sum(', 'sum(sums.')}
         FROM ${name === 'tool' ? 'tool_cells' : 'cells'} AS sums
           JOIN combos ON combos.key = sums.combo
         WHERE span = 1 AND at = $at GROUP BY 3`,
    ),
  ]
  await bucketByBucket(hourly, hour, 0)
  await bucketByBucket(daily, day, 1)
  const recount = database.prepare(`
    UPDATE combos SET interceptions = coalesce(
      (SELECT sum(interceptions) FROM cells WHERE combo = combos.key AND span = 1), 0)`)
  const recountKinds = database.prepare(`
    UPDATE kinds SET sessions = (SELECT count(*) FROM sessions WHERE kind = kinds.key)`)
  await slices.one(() => {
    recount.run()
    recountKinds.run()
  })

  async function bucketByBucket(
    sql: readonly string[],
    length: number,
    span: number,
  ): Promise<void> {
    const statements = sql.map((each) => {
      const statement = database.prepare(each)
      statement.setAllowUnknownNamedParameters(true)
      return statement
    })
    // Also hours that have sums and no summaries.
    const next = database.prepare(`
      SELECT min(at) AS at FROM (
        SELECT ${bucketOf('(min(key) >> 20)', '$length')} AS at FROM summaries
          WHERE key >= ($last + $length) << 20
        UNION ALL SELECT min(at) FROM cells WHERE span = ${span} AND at > $last
        UNION ALL SELECT min(at) FROM tool_cells WHERE span = ${span} AND at > $last
        UNION ALL SELECT min(at) FROM totals WHERE ${span} = 1 AND at > $last)
      WHERE at IS NOT NULL`)
    let last = -50_000 * day
    await slices.each(() => {
      const at = next.get({ last, length })?.at
      if (typeof at !== 'number') return false
      last = at
      for (const statement of statements) statement.run({ at, length })
      return true
    })
  }
}
