import type { InterceptionQuery, Recorder, StoredInterception } from '../core/recorder.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { newestFirst, replaces, storedInterception } from '../core/stored-interception.ts'

export interface MemoryRecorderOptions {
  /** How many interceptions are kept; past that the oldest that does not run is forgotten. @default 10000 */
  readonly maxInterceptions?: number
}

/** Keeps records in this process's memory: for tests, demos and a look at the last few thousand. */
export function memoryRecorder({
  maxInterceptions = 10_000,
}: MemoryRecorderOptions = {}): Recorder {
  const interceptions = new Map<string, Map<string, InterceptionRecord>>()

  function put(record: InterceptionRecord): void {
    let records = interceptions.get(record.interceptionId)
    if (!records) {
      records = new Map()
      interceptions.set(record.interceptionId, records)
    }
    const earlier = records.get(record.id)
    if (!earlier) records.set(record.id, record)
    else if (replaces(record, earlier))
      records.set(record.id, { ...record, seq: Math.min(earlier.seq, record.seq) })
  }

  function forget(): void {
    for (const [id, records] of interceptions) {
      if (interceptions.size <= maxInterceptions) return
      if (!isRunning(records)) interceptions.delete(id)
    }
  }

  function matching({ initiator, running = false }: InterceptionQuery): StoredInterception[] {
    return [...interceptions.values()]
      .map((records) => storedInterception([...records.values()]))
      .filter((stored) => stored !== null)
      .filter(({ end }) => running || end !== null)
      .filter(
        ({ start }) =>
          initiator === undefined ||
          start.initiatorId === initiator ||
          start.initiatorUsername === initiator,
      )
      .sort(newestFirst)
  }

  return {
    name: 'memory-recorder',
    provisional: true,
    record: async (records) => {
      for (const record of records) put(record)
      forget()
    },
    interceptions: async (query = {}) => {
      const { limit = 100, offset = 0 } = query
      const all = matching(query)
      return { count: all.length, results: all.slice(offset, offset + limit) }
    },
    interception: async (id) => storedInterception([...(interceptions.get(id)?.values() ?? [])]),
    open: async () => {},
    close: async () => {},
  }
}

function isRunning(records: ReadonlyMap<string, InterceptionRecord>): boolean {
  const types = new Set(records.values().map(({ type }) => type))
  return types.has('interception_start') && !types.has('interception_end')
}
