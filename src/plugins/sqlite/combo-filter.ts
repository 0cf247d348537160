import type { DatabaseSync } from 'node:sqlite'
import type { InterceptionFilter } from '../../core/recorder.ts'
import { dimensions } from './sums.ts'

export type Values = Record<string, string | number | null>

export type Facets = Pick<
  InterceptionFilter,
  'visibleTo' | 'initiator' | 'provider' | 'providerName' | 'model' | 'client' | 'outcome'
>

/** The combos that match: how many interceptions they have, and if those are few, which they are. */
export interface Combos {
  /** Of the columns of `combos`. */
  readonly conditions: readonly string[]
  readonly values: Values
  readonly interceptions: number
  /** JSON text for `json_each`, where they are a small share of the store. */
  readonly keys: string | null
  /** What alone is asked for, where one thing is: it has sums of its own. */
  readonly only: { readonly dimension: number; readonly name: number } | null
}

/** A share of the store that is found sooner by walking through time than by an index. */
const common = 0.05

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
  const where = `interceptions > 0 AND ${conditions.join(' AND ')}`
  const total = 'SELECT sum(interceptions) AS n FROM totals WHERE dimension ='
  const only = onlyOf(database, facets)
  const found = only
    ? database.prepare(`${total} ? AND name = ?`).get(only.dimension, only.name)
    : database.prepare(`SELECT sum(interceptions) AS n FROM combos WHERE ${where}`).get(values)
  const interceptions = Number(found?.n ?? 0)
  const all = Number(database.prepare(`${total} 0`).get()?.n ?? 0)
  const keys =
    interceptions < all * common
      ? database
          .prepare(`SELECT json_group_array(key) AS keys FROM combos WHERE ${where}`)
          .get(values)
      : null
  return { conditions, values, interceptions, keys: keys ? String(keys.keys) : null, only }
}

function onlyOf(database: DatabaseSync, facets: Facets): Combos['only'] {
  const asked = [...named, ['visibleTo'] as const, ['initiator'] as const]
    .map(([facet]) => facet)
    .filter((facet) => facets[facet] !== undefined)
  const [facet, ...others] = asked
  if (facet === undefined || others.length > 0) return null
  if (facet === 'visibleTo' || facet === 'initiator') return null
  const name = database.prepare('SELECT key FROM names WHERE text = ?').get(String(facets[facet]))
  return { dimension: dimensions[facet], name: Number(name?.key ?? -1) }
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
