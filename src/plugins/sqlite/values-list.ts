import type { DatabaseSync } from 'node:sqlite'
import type { ValuesQuery } from '../../core/store.ts'

const columns = {
  model: 'model',
  client: 'client',
  provider: 'provider',
  providerName: 'provider_name',
} as const

/** What occurs: each name is asked once whether a combo, or a tool's sum, has it. */
export function valuesList(
  database: DatabaseSync,
  { of, visibleTo, prefix = '', limit = 100, offset = 0 }: ValuesQuery,
): string[] {
  const visible = 'initiator IN (SELECT key FROM initiators WHERE id = $visibleTo)'
  const seen = visibleTo === undefined ? '' : `AND ${visible}`
  const values = visibleTo === undefined ? {} : { visibleTo }
  const sql =
    of === 'initiator'
      ? `SELECT DISTINCT username AS text FROM initiators
         WHERE EXISTS (
           SELECT 1 FROM combos WHERE initiator = initiators.key AND interceptions > 0)
         ${visibleTo === undefined ? '' : 'AND id = $visibleTo'}`
      : of === 'tool'
        ? `SELECT text FROM names
           WHERE EXISTS (
             SELECT 1 FROM tool_cells WHERE span = 1 AND tool = names.key
             ${visibleTo === undefined ? '' : `AND combo IN (SELECT key FROM combos WHERE ${visible})`})`
        : visibleTo === undefined
          ? `SELECT text FROM names
             WHERE EXISTS (SELECT 1 FROM combos WHERE ${columns[of]} = names.key AND interceptions > 0)`
          : `SELECT DISTINCT text FROM combos JOIN names ON names.key = ${columns[of]}
             WHERE interceptions > 0 ${seen}`
  return database
    .prepare(sql)
    .all(values)
    .map(({ text }) => String(text))
    .filter((text) => text.startsWith(prefix))
    .sort()
    .slice(offset, offset + limit)
}
