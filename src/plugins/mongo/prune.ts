import type { Filter } from 'mongodb'
import type { PruneQuery, PruneReport } from '../../core/store.ts'
import type { Collections } from './collections.ts'
import { withoutContent } from './content.ts'
import { forgetHusks } from './husks.ts'
import type { InterceptionDocument } from './interception-document.ts'
import { takeLease } from './lease.ts'
import { isPast, limitsId } from './limits.ts'
import { readWhole } from './read-whole.ts'
import type { Upkeep } from './upkeep.ts'

/** So few at a time that nobody who writes waits long for it. */
const atOnce = 25

/** Forgets what is older than the limits, batch by batch. */
export async function prune(
  collections: Collections,
  upkeep: Upkeep,
  processId: string,
  { before, contentBefore, dryRun = false, budget = Number.POSITIVE_INFINITY }: PruneQuery,
): Promise<PruneReport> {
  const { interceptions, limits } = collections
  const old = before === undefined ? null : { ended: true, startedAt: { $lt: new Date(before) } }
  const wordy = contentBefore === undefined ? null : wordyBefore(contentBefore, before)
  const count = (filter: Filter<InterceptionDocument> | null) =>
    filter === null ? 0 : interceptions.countDocuments(filter)
  if (dryRun) return { interceptions: await count(old), contents: await count(wordy), done: true }

  const $max = {
    ...(before !== undefined && { before: new Date(before) }),
    ...(contentBefore !== undefined && { contentBefore: new Date(contentBefore) }),
  }
  if (Object.keys($max).length > 0)
    await limits.updateOne({ _id: limitsId }, { $max }, { upsert: true })
  const lease = await takeLease(collections, 'prune', processId)
  if (!lease) return { interceptions: 0, contents: 0, done: false, busy: true }
  const report = { interceptions: 0, contents: 0 }
  // At least one batch: however short the budget, going on comes to an end.
  const end = performance.now() + budget
  let batches = 0
  const mayGoOn = () => batches++ === 0 || performance.now() < end
  try {
    await forgetHusks(collections)
    for await (const ids of oldOnes(collections, old, before)) {
      if (!(await lease.renew())) return { ...report, done: false, busy: true }
      if (!mayGoOn()) return { ...report, done: false }
      await upkeep.remove(collections, ids.begun, 'pruned')
      await upkeep.remove(collections, ids.orphans, 'pruned')
      report.interceptions += ids.begun.length
    }
    while (wordy) {
      const filter = { ...wordy, doomed: { $exists: false } }
      const found = await interceptions.find(filter).limit(atOnce).toArray()
      if (found.length === 0) break
      if (!(await lease.renew())) return { ...report, done: false, busy: true }
      if (!mayGoOn()) return { ...report, done: false }
      for (const whole of await readWhole(interceptions, found))
        if (await withoutContent(interceptions, whole)) report.contents++
      await upkeep.digest(
        collections,
        found.map(({ _id }) => _id),
      )
    }
    await upkeep.settle()
    return { ...report, done: true }
  } finally {
    await lease.release()
  }
}

function wordyBefore(
  contentBefore: string,
  before: string | undefined,
): Filter<InterceptionDocument> {
  const startedAt = {
    $lt: new Date(contentBefore),
    $gte: before === undefined ? new Date(0) : new Date(before),
  }
  return { worded: true, startedAt, ended: true }
}

async function* oldOnes(
  { interceptions }: Collections,
  old: Filter<InterceptionDocument> | null,
  before: string | undefined,
): AsyncGenerator<{ readonly begun: readonly string[]; readonly orphans: readonly string[] }> {
  if (old === null || before === undefined) return
  const options = { projection: { _id: 1 }, limit: atOnce } as const
  const ids = async (filter: Filter<InterceptionDocument>) => {
    const found = await interceptions.find(filter, options).sort({ _id: 1 }).toArray()
    return found.map(({ _id }) => _id)
  }
  const oldest = { sort: { startedAt: 1, _id: 1 } } as const
  for (;;) {
    const found = await interceptions.find(old, { ...options, ...oldest }).toArray()
    if (found.length === 0) break
    yield { begun: found.map(({ _id }) => _id), orphans: [] }
  }
  // Ids begin with the time.
  const limit = { before: new Date(before) }
  const $lt = timePrefix(limit.before)
  for (let last = ''; ; ) {
    const filter = {
      _id: { $gt: last, $lt },
      startedAt: { $exists: false },
      of: { $exists: false },
    }
    const found = await ids(filter)
    if (found.length === 0) return
    last = found.at(-1) as string
    const orphans = found.filter((id) => isPast({ _id: '', ...limit }, id))
    if (orphans.length > 0) yield { begun: [], orphans }
  }
}

/** What the ids of later interceptions are greater than. */
function timePrefix(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
