import type { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../core/errors.ts'
import { measureColumns } from './measure-columns.ts'
import { bucketOf, day, dimensionColumn, dimensions, hour } from './sums.ts'
import type { Wrong } from './verify.ts'

/** Compares sums with what they are sums of: hours with interceptions, days with hours, what is counted with days. */
export function verifySums(database: DatabaseSync): Wrong[] {
  const count = (sql: string) => Number(database.prepare(sql).get()?.n)
  const differing = (keys: string, expected: string, actual: string) => {
    try {
      return count(difference(keys, expected, actual))
    } catch (error) {
      if (messageOf(error) === 'integer overflow') return 1
      throw error
    }
  }
  const own = measureColumns.join(', ')
  const of = (table: string) => measureColumns.map((name) => `${table}.${name}`).join(', ')
  const calls = of('summaries').replace('summaries.tool_calls', 'calls AS tool_calls')
  const hours = (table: string) => `SELECT at, combo, ${own} FROM ${table} WHERE span = 0`
  const days = (column: string) => `${bucketOf('at', day)} AS at, ${column}`
  return [
    [
      differing(
        'at, combo',
        `SELECT ${bucketOf('(key >> 20)', hour)} AS at, combo, ${own} FROM summaries`,
        hours('cells'),
      ),
      'sums of hours differ from their interceptions',
    ],
    [
      differing(
        'at, combo',
        `SELECT ${days(`combo, ${own}`)} FROM cells WHERE span = 0`,
        `SELECT at, combo, ${own} FROM cells WHERE span = 1`,
      ),
      'sums of days differ from their hours',
    ],
    [
      differing(
        'tool, at, combo',
        `SELECT tool, ${bucketOf('(summaries.key >> 20)', hour)} AS at, summaries.combo, ${calls}
         FROM tool_uses JOIN summaries ON summaries.key = tool_uses.key`,
        `SELECT tool, at, combo, ${own} FROM tool_cells WHERE span = 0`,
      ),
      "tools' sums of hours differ from their interceptions",
    ],
    [
      differing(
        'tool, at, combo',
        `SELECT tool, ${days(`combo, ${own}`)} FROM tool_cells WHERE span = 0`,
        `SELECT tool, at, combo, ${own} FROM tool_cells WHERE span = 1`,
      ),
      "tools' sums of days differ from their hours",
    ],
    [
      Object.entries(dimensions).reduce(
        (sum, [name, dimension]) =>
          sum +
          differing(
            'at, name',
            `SELECT at, ${dimensionColumn(name)} AS name, ${of('sums')}
             FROM ${name === 'tool' ? 'tool_cells' : 'cells'} AS sums
               JOIN combos ON combos.key = sums.combo WHERE span = 1`,
            `SELECT at, name, ${own} FROM totals WHERE dimension = ${dimension}`,
          ),
        0,
      ),
      'totals of days differ from their sums',
    ],
    [
      count(`SELECT count(*) AS n FROM totals
        WHERE dimension NOT IN (${Object.values(dimensions).join(', ')})`) +
        count('SELECT count(*) AS n FROM cells WHERE span NOT IN (0, 1)') +
        count('SELECT count(*) AS n FROM tool_cells WHERE span NOT IN (0, 1)'),
      'sums are of nothing that is summed',
    ],
    [
      count(`SELECT count(*) AS n FROM combos WHERE interceptions <> coalesce(
        (SELECT sum(interceptions) FROM cells WHERE combo = combos.key AND span = 1), 0)`),
      'filters count other interceptions than there are',
    ],
    [
      count(`SELECT count(*) AS n FROM kinds
        WHERE sessions <> (SELECT count(*) FROM sessions WHERE kind = kinds.key)`),
      'filters count other sessions than there are',
    ],
  ]
}

/** How many keys are on one side alone, or have another sum. Prices may be fractions, whose sums depend on the order. */
function difference(keys: string, expected: string, actual: string): string {
  const [exact, price] = [
    measureColumns.filter((column) => column !== 'cost_nano_usd'),
    'cost_nano_usd',
  ]
  const summed = measureColumns.map((column) => `sum(${column}) AS ${column}`).join(', ')
  const sides = measureColumns.join(', ')
  return `
    SELECT count(*) AS n FROM (
      SELECT 1 FROM (
        SELECT 1 AS side, ${keys}, ${summed} FROM (${expected}) GROUP BY ${keys}
        UNION ALL SELECT -1, ${keys}, ${sides} FROM (${actual}))
      GROUP BY ${keys}
      HAVING sum(side) <> 0
        OR ${exact.map((column) => `sum(side * ${column}) <> 0`).join(' OR ')}
        OR abs(sum(side * ${price})) > 1e-9 * sum(abs(${price})))`
}
