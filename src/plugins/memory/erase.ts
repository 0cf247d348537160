import type { EraseQuery, EraseReport } from '../../core/store.ts'
import type { Holdings } from './holdings.ts'
import { owner } from './matching.ts'
import type { Refusal } from './refusal.ts'

/** Forgets an initiator: what is held, running or not, and what is still to come. */
export function erase(
  holdings: Holdings,
  refusal: Refusal,
  { initiator, before, dryRun = false }: EraseQuery,
): EraseReport {
  const until = before === undefined ? Date.now() : Date.parse(before)
  const named = owner({ initiator })
  const starts = [...holdings.entries()].map(({ start }) => start).filter((start) => start !== null)
  const known = new Set(starts.filter(named).map(({ initiatorId }) => initiatorId))
  // Nothing of it has come yet: it may be on its way.
  const ids = known.size === 0 ? new Set([initiator]) : known
  const gone = starts.filter(
    ({ initiatorId, startedAt }) => ids.has(initiatorId) && Date.parse(startedAt) <= until,
  )
  if (!dryRun) {
    for (const id of ids) refusal.bury(id, until)
    refusal.erase(new Set(gone.map(({ interceptionId }) => interceptionId)))
  }
  return { interceptions: gone.length, initiatorIds: [...ids].sort() }
}
