import type { DatabaseSync } from 'node:sqlite'
import type { InterceptionFilter } from '../../core/recorder.ts'

export type Values = Record<string, string | number | null>

export type Facets = Pick<
  InterceptionFilter,
  'visibleTo' | 'initiator' | 'provider' | 'providerName' | 'model' | 'client' | 'outcome'
>

/** The combos that match, as JSON text for `json_each`, and how many interceptions they have. */
export interface Combos {
  readonly keys: string
  readonly count: number
  readonly interceptions: number
  /** Of the whole store. */
  readonly all: number
}

const named = [
  ['provider', 'provider'],
  ['providerName', 'provider_name'],
  ['model', 'model'],
  ['client', 'client'],
  ['outcome', 'outcome'],
] as const

/** Null where all match. */
export function combosOf(database: DatabaseSync, facets: Facets): Combos | null {
  const { conditions, values } = comboConditions(facets)
  if (conditions.length === 0) return null
  const row = database
    .prepare(
      `SELECT json_group_array(key) AS keys, count(*) AS count, sum(interceptions) AS interceptions,
         (SELECT sum(interceptions) FROM combos) AS total
       FROM combos WHERE interceptions > 0 AND ${conditions.join(' AND ')}`,
    )
    .get(values)
  return {
    keys: String(row?.keys),
    count: Number(row?.count),
    interceptions: Number(row?.interceptions ?? 0),
    all: Number(row?.total ?? 0),
  }
}

/** Of the columns of `combos`. */
export function comboConditions(facets: Facets): {
  readonly conditions: string[]
  readonly values: Values
} {
  const conditions = initiatorConditions(facets)
  const values: Values = initiatorValues(facets)
  for (const [facet, column] of named) {
    if (facets[facet] === undefined) continue
    conditions.push(`combos.${column} = (SELECT key FROM names WHERE text = $${facet})`)
    values[facet] = facets[facet]
  }
  return { conditions, values }
}

/** Of a column `initiator`. */
export function initiatorConditions({
  visibleTo,
  initiator,
}: Pick<Facets, 'visibleTo' | 'initiator'>): string[] {
  const conditions: string[] = []
  if (visibleTo !== undefined)
    conditions.push('initiator IN (SELECT key FROM initiators WHERE id = $visibleTo)')
  if (initiator !== undefined)
    conditions.push(
      `initiator IN (SELECT key FROM initiators WHERE id = $initiator
         UNION SELECT key FROM initiators WHERE username = $initiator)`,
    )
  return conditions
}

export function initiatorValues({
  visibleTo,
  initiator,
}: Pick<Facets, 'visibleTo' | 'initiator'>): Values {
  return {
    ...(visibleTo !== undefined && { visibleTo }),
    ...(initiator !== undefined && { initiator }),
  }
}
