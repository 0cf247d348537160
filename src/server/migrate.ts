import { addMeasures, type Measures, noMeasures } from '../core/measures.ts'
import type { InterceptionFilter, StoredInterception } from '../core/recorder.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { isRestored } from '../core/restored.ts'
import type { Store } from '../core/store.ts'
import { summaryOf } from '../core/summary.ts'
import { exportLine } from './export-line.ts'
import { exportPages } from './export-pages.ts'

export interface MigrateOptions {
  readonly from: Store
  readonly to: Store
  readonly onProgress?: (interceptions: number) => void
}

export interface MigrateReport {
  /** Read from the one store: all that had started by then, running ones too. */
  readonly interceptions: number
  /** Written to the other. */
  readonly copied: number
  /** There already, each record the same. */
  readonly same: number
  /** What is not as it should be now, in words; empty when all is there. */
  readonly faults: readonly string[]
}

/** Records that are written in one go. */
const batchRecords = 300

/**
 * Copies all interceptions of one store into another. What is there already and the same is passed over: it goes on
 * where it was interrupted, and a second run brings what came or ended during the first.
 */
export async function migrate({
  from,
  to,
  onProgress = () => {},
}: MigrateOptions): Promise<MigrateReport> {
  const filter = { running: true, startedBefore: new Date().toISOString() }
  const before = await to.interceptions({ ...filter, limit: 1 })
  const empty = before.results.length === 0
  let interceptions = 0
  let copied = 0
  let added = 0
  let damaged = 0
  let sums = noMeasures
  for await (const page of exportPages(from, filter)) {
    const there = empty ? [] : await Promise.all(page.map(({ id }) => to.interception(id)))
    const missing = page.filter((stored, index) => !isSame(stored, there[index]))
    await write(to, missing, new Set(there.flatMap((each) => each?.id ?? [])))
    for (const stored of page) damaged += stored.damaged?.length ?? 0
    interceptions += page.length
    copied += missing.length
    added += page.filter((_, index) => !there[index]).length
    for (const stored of page) sums = addMeasures(sums, summaryOf(stored)?.measures ?? noMeasures)
    onProgress(interceptions)
  }
  const faults = await shortfalls(to, filter, before.count + added, empty ? sums : noMeasures)
  if (damaged > 0)
    faults.push(`${damaged} records could not be read and were not copied: sluice verify says more`)
  return { interceptions, copied, same: interceptions - copied, faults }
}

function isSame(stored: StoredInterception, there: StoredInterception | null | undefined): boolean {
  return there !== null && there !== undefined && exportLine(stored) === exportLine(there)
}

async function write(
  to: Store,
  missing: readonly StoredInterception[],
  there: ReadonlySet<string>,
): Promise<void> {
  let batch: InterceptionRecord[] = []
  for (const stored of missing) {
    const records = recordsOf(stored)
    batch.push(...(there.has(stored.id) ? records.filter((it) => !isRestored(it)) : records))
    if (batch.length < batchRecords) continue
    await to.record(batch)
    batch = []
  }
  if (batch.length > 0) await to.record(batch)
}

/** The records that an interception was put together from, its start first. */
function recordsOf(stored: StoredInterception): InterceptionRecord[] {
  const { start, end, tokenUsages, userPrompts, toolUsages, toolResults, modelThoughts } = stored
  return [
    start,
    ...userPrompts,
    ...toolResults,
    ...modelThoughts,
    ...toolUsages,
    ...tokenUsages,
    ...stored.others,
    ...(end ? [end] : []),
  ] as InterceptionRecord[]
}

/** What there should be at least, and is not. More may be: others write, and what ran is ended. */
async function shortfalls(
  to: Store,
  filter: InterceptionFilter,
  interceptions: number,
  sums: Measures,
): Promise<string[]> {
  const { count, countExact } = await to.interceptions({ ...filter, limit: 1 })
  const faults: string[] = []
  if (countExact !== false && count < interceptions)
    faults.push(
      `${interceptions} interceptions should be there, and ${count} are: what is older than that store's retention, or of a user who was erased from it, is refused`,
    )
  const [found] = await to.stats({ groupBy: 'none', startedBefore: filter.startedBefore ?? '' })
  for (const name of compared) {
    const there = found?.[name] ?? 0
    if (there < sums[name]) faults.push(`${name} should be ${sums[name]} there, and are ${there}`)
  }
  return faults
}

const compared = [
  'interceptions',
  'prompts',
  'toolCalls',
  'inputTokens',
  'outputTokens',
  'costNanoUsd',
] as const satisfies readonly (keyof Measures)[]
