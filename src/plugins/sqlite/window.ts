import type { DatabaseSync } from 'node:sqlite'
import type { Scope, Spot } from './interception-list.ts'
import { day } from './sums.ts'
import { sumsOf } from './sums-source.ts'

export interface Window {
  readonly from: number
  /** Not included. */
  readonly to: number
  /** How many are still to be skipped. */
  readonly skip: number
}

/**
 * The days among which a page lies, by their sums, so that neither what is skipped nor a long time without any is
 * walked through.
 */
export function windowOf(
  database: DatabaseSync,
  scope: Scope,
  after: Spot | null,
  offset: number,
  limit: number,
): Window {
  const { query, combos, match, from, to } = scope
  const newest = query.sort !== 'oldest'
  const start = after && !newest ? Math.max(from, after.at) : from
  const end = after && newest ? Math.min(to, after.at + 1) : to
  const whole = { from: start, to: end, skip: offset }
  const hasSums = match === null && query.sessionId === undefined && !hasAny(query.annotations)
  const isRare = combos === null || combos.keys !== null || combos.only !== null
  const isNeeded =
    query.tool === undefined
      ? (combos !== null && isRare) || offset > limit
      : isRare && !combos?.only
  if (!hasSums || !isNeeded) return whole

  let { from: lo, to: hi, skip } = whole
  let found = 0
  let partly = false
  let begun = false
  for (const { at, n } of days(database, scope, start, end)) {
    const isCut = at < start || at + day > end
    partly ||= isCut && !begun
    if (!begun && !partly && skip >= n) {
      skip -= n
      continue
    }
    if (!begun && newest) hi = Math.min(end, at + day)
    else if (!begun) lo = Math.max(start, at)
    begun = true
    if (!isCut) found += n
    if (found < skip + limit) continue
    // The last is read to its end: it is whole.
    return newest
      ? { from: Math.max(start, at), to: hi, skip }
      : { from: lo, to: Math.min(end, at + day), skip }
  }
  return begun ? { from: lo, to: hi, skip } : { from: lo, to: lo, skip }
}

function* days(
  database: DatabaseSync,
  scope: Scope,
  from: number,
  to: number,
): Generator<{ at: number; n: number }> {
  const { tables, conditions, values } = sumsOf(scope, 1)
  const rows = database
    .prepare(
      `SELECT at, total(interceptions) AS n FROM ${tables}
       WHERE ${conditions.join(' AND ')} AND at > $from - ${day} AND at < $to
       GROUP BY at ORDER BY at ${scope.query.sort === 'oldest' ? 'ASC' : 'DESC'}`,
    )
    .iterate({ ...values, from, to })
  for (const { at, n } of rows) yield { at: Number(at), n: Number(n) }
}

function hasAny(annotations: Readonly<Record<string, string>> = {}): boolean {
  return Object.keys(annotations).length > 0
}
