import { dropContent } from '../../core/record-content.ts'
import type { PruneQuery, PruneReport } from '../../core/store.ts'
import type { Entry, Holdings } from './holdings.ts'
import { type Refusal, timeOfEntry } from './refusal.ts'

/** Forgets what is older than the limits. */
export function prune(
  holdings: Holdings,
  refusal: Refusal,
  { before, contentBefore, dryRun = false, budget = Number.POSITIVE_INFINITY }: PruneQuery,
): PruneReport {
  const began = performance.now()
  const limits = { before: limitOf(before), contentBefore: limitOf(contentBefore) }
  if (!dryRun) refusal.limit(limits)
  const report = { interceptions: 0, contents: 0, done: true }
  const old = new Set<string>()
  for (const entry of [...holdings.entries()]) {
    const { id, start, end } = entry
    if (start && !end) continue
    const time = timeOfEntry(id, start)
    const isOld = time < limits.before
    const isWordy = !isOld && start !== null && time < limits.contentBefore && hasContent(entry)
    if (!isOld && !isWordy) continue
    if (performance.now() - began > budget) {
      report.done = false
      break
    }
    if (isOld && start) report.interceptions++
    if (isWordy) report.contents++
    if (dryRun) continue
    if (isOld) old.add(id)
    else holdings.change(entry, dropContent)
  }
  holdings.removeAll(old)
  return report
}

function limitOf(time: string | undefined): number {
  return time === undefined ? Number.NEGATIVE_INFINITY : Date.parse(time)
}

function hasContent({ records }: Entry): boolean {
  return [...records.values()].some((record) => dropContent(record) !== record)
}
