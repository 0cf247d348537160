import { messageOf, SluiceError } from '../core/errors.ts'
import type { Recorder } from '../core/recorder.ts'
import type { InterceptionRecord, RecordOf } from '../core/records.ts'
import { isRestored } from '../core/restored.ts'
import { importLine } from './import-line.ts'
import { lines } from './lines.ts'

export interface ImportOptions {
  /** NDJSON, as `exportText` tells it. */
  readonly input: AsyncIterable<Uint8Array>
  /** Without one the lines are only judged. */
  readonly store?: Pick<Recorder, 'record' | 'interception'> | undefined
  /** Called for each line that cannot be taken; the others are. Lines count from 1. */
  readonly onFault: (line: number, message: string) => void
  readonly onProgress?: (interceptions: number) => void
}

export interface ImportReport {
  readonly interceptions: number
  readonly records: number
  /** Lines that could not be taken. */
  readonly faults: number
  /** Of the interceptions those that the store did not keep: too old for it, or of an erased user. */
  readonly refused: number
}

interface Taken {
  readonly line: number
  readonly records: readonly InterceptionRecord[]
}

/** What is stored in one go. */
const batchRecords = 300
const batchBytes = 4 * 1024 ** 2

/**
 * Stores exported interceptions. Records are written by their ids: to import a file twice, or to go on with it
 * after a fault, changes nothing that is there.
 */
export async function importText({
  input,
  store,
  onFault,
  onProgress = () => {},
}: ImportOptions): Promise<ImportReport> {
  const report = { interceptions: 0, records: 0, faults: 0, refused: 0 }
  let batch: Taken[] = []
  let size = 0
  let bytes = 0

  function fault(line: number, message: string): void {
    report.faults++
    onFault(line, message)
  }

  async function put(taken: readonly Taken[]): Promise<void> {
    if (store) await store.record((await Promise.all(taken.map((it) => whole(store, it)))).flat())
    report.interceptions += taken.length
    for (const { records } of taken) report.records += records.length
    if (store) report.refused += await refusedOf(store, taken)
  }

  async function flush(): Promise<void> {
    const taken = batch
    batch = []
    size = 0
    bytes = 0
    if (taken.length === 0) return
    try {
      await put(taken)
    } catch (error) {
      await oneByOne(taken, error)
    }
    onProgress(report.interceptions)
  }

  /** Finds the one that the store refuses; where it takes none, it is the store's fault. */
  async function oneByOne(taken: readonly Taken[], first: unknown): Promise<void> {
    const refused: { line: number; error: unknown }[] = []
    for (const each of taken) {
      try {
        await put([each])
      } catch (error) {
        refused.push({ line: each.line, error })
      }
    }
    if (refused.length === taken.length) {
      throw new SluiceError(
        `the store takes nothing, at line ${taken[0]?.line}: ${messageOf(first)}; import it again when it does`,
        { code: 'ERR_IMPORT', cause: first },
      )
    }
    for (const { line, error } of refused) fault(line, messageOf(error))
  }

  for await (const { line, text } of lines(input)) {
    if (text.trim() === '') continue
    let records: readonly InterceptionRecord[]
    try {
      records = importLine(text)
    } catch (error) {
      fault(line, messageOf(error))
      continue
    }
    batch.push({ line, records })
    size += records.length
    bytes += text.length
    if (size >= batchRecords || bytes >= batchBytes) await flush()
  }
  await flush()
  return report
}

/** A start or end that was damaged where it was exported takes no whole one's place. */
async function whole(
  store: Pick<Recorder, 'interception'>,
  { records }: Taken,
): Promise<readonly InterceptionRecord[]> {
  const restored = records.find(isRestored)
  if (!restored || !(await store.interception(restored.interceptionId))) return records
  return records.filter((record) => !isRestored(record))
}

/**
 * How many of them are not there. A store refuses what began before some time, of all or of one initiator: where
 * the oldest of each was kept, all were.
 */
async function refusedOf(
  store: Pick<Recorder, 'interception'>,
  taken: readonly Taken[],
): Promise<number> {
  const starts = taken.flatMap(({ records }) =>
    records.filter((record) => record.type === 'interception_start'),
  )
  let refused = 0
  for (const all of Map.groupBy(starts, ({ initiatorId }) => initiatorId).values()) {
    for (const { interceptionId } of all.toSorted(byTime)) {
      if (await store.interception(interceptionId)) break
      refused++
    }
  }
  return refused
}

function byTime(a: RecordOf<'interception_start'>, b: RecordOf<'interception_start'>): number {
  return Date.parse(a.startedAt) - Date.parse(b.startedAt)
}
