import { type Links, linkAll } from '../core/links.ts'
import type { InterceptionQuery, Recorder, StoredInterception } from '../core/recorder.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { newestFirst, replaces, storedInterception } from '../core/stored-interception.ts'

export interface MemoryRecorderOptions {
  /** How many interceptions are kept; a sixteenth past that the oldest that do not run are forgotten. @default 10000 */
  readonly maxInterceptions?: number
}

/** Keeps records in this process's memory: for tests, demos and a look at the last few thousand. */
export function memoryRecorder({
  maxInterceptions = 10_000,
}: MemoryRecorderOptions = {}): Recorder {
  const interceptions = new Map<string, Map<string, InterceptionRecord>>()
  /** Made anew when it is asked for after starts or calls have come. */
  let links: ReadonlyMap<string, Links> | null = null

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

  function stored(records: ReadonlyMap<string, InterceptionRecord>): StoredInterception | null {
    const found = storedInterception([...records.values()])
    if (!found) return null
    links ??= linkAll(
      [...interceptions.values()]
        .map((each) => storedInterception([...each.values()]))
        .filter((each) => each !== null)
        .map(({ id, start, toolUsages }) => ({
          id,
          start,
          toolCallIds: toolUsages.map(({ toolCallId }) => toolCallId),
        })),
    )
    return { ...found, start: { ...found.start, ...links.get(found.id) } }
  }

  function forget(): void {
    // Many at once: a Map whose first entries were deleted is slow to begin with.
    if (interceptions.size <= maxInterceptions + Math.trunc(maxInterceptions / 16)) return
    for (const [id, records] of interceptions) {
      if (interceptions.size <= maxInterceptions) return
      if (!isRunning(records)) interceptions.delete(id)
    }
  }

  function matching({
    initiator,
    annotations = {},
    running = false,
  }: InterceptionQuery): StoredInterception[] {
    const wanted = Object.entries(annotations)
    return [...interceptions.values()]
      .map(stored)
      .filter((each) => each !== null)
      .filter(({ end }) => running || end !== null)
      .filter(
        ({ start }) =>
          initiator === undefined ||
          start.initiatorId === initiator ||
          start.initiatorUsername === initiator,
      )
      .filter(({ start }) => wanted.every(([name, value]) => start.annotations[name] === value))
      .sort(newestFirst)
  }

  return {
    name: 'memory-recorder',
    provisional: true,
    record: async (records) => {
      for (const record of records) put(record)
      if (records.some(({ type }) => type === 'interception_start' || type === 'tool_usage'))
        links = null
      forget()
    },
    interceptions: async (query = {}) => {
      const { limit = 100, offset = 0 } = query
      const all = matching(query)
      return { count: all.length, results: all.slice(offset, offset + limit) }
    },
    interception: async (id) => stored(interceptions.get(id) ?? new Map()),
    open: async () => {},
    close: async () => {},
  }
}

function isRunning(records: ReadonlyMap<string, InterceptionRecord>): boolean {
  let started = false
  for (const { type } of records.values()) {
    if (type === 'interception_end') return false
    started ||= type === 'interception_start'
  }
  return started
}
