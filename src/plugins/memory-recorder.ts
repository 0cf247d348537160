import { randomUUID } from 'node:crypto'
import type { InterceptionPage, InterceptionQuery, StoredInterception } from '../core/recorder.ts'
import type { Session } from '../core/session.ts'
import type { Store, VerifyReport } from '../core/store.ts'
import { newestFirst } from '../core/stored-interception.ts'
import { type Summary, summaryOf } from '../core/summary.ts'
import { erase } from './memory/erase.ts'
import { feedPage } from './memory/feed-page.ts'
import { Holdings } from './memory/holdings.ts'
import { matching, owner } from './memory/matching.ts'
import { knownCursor, pageOf } from './memory/page.ts'
import { prune } from './memory/prune.ts'
import { Refusal } from './memory/refusal.ts'
import { sessionAnswer } from './memory/session-answer.ts'
import { sessionPage, sessionsOf } from './memory/sessions.ts'
import { statsRows } from './memory/stats-rows.ts'
import { valuesOf } from './memory/values.ts'

export interface MemoryRecorderOptions {
  /** How many interceptions are kept; a sixteenth past that the oldest that do not run are forgotten. @default 10000 */
  readonly maxInterceptions?: number
}

/** Keeps records in this process's memory: for tests, demos and a look at the last few thousand. */
export function memoryRecorder({ maxInterceptions = 10_000 }: MemoryRecorderOptions = {}): Store {
  const name = randomUUID()
  const holdings = new Holdings()
  const refusal = new Refusal(holdings)
  // Of what is asked again and has not changed.
  const summaries = remembered((all: readonly StoredInterception[]) =>
    all.map(summary).filter((each) => each !== null),
  )
  const summary = remembered(summaryOf)
  const sessions = remembered(sessionsOf)
  const ended = (): Summary[] => summaries(holdings.all())
  const begun = (): Session[] => sessions(ended())

  return {
    name: 'memory-recorder',
    provisional: true,
    record: async (records) => {
      for (const record of refusal.admit(records)) holdings.put(record)
      forget(holdings, maxInterceptions)
    },
    interceptions: async (query = {}) => interceptionPage(holdings, query),
    interception: async (id) => holdings.one(id),
    sessions: async (query = {}) => sessionPage(begun(), query),
    session: async (query) => sessionAnswer(holdings.all(), begun(), query),
    values: async (query) => valuesOf(ended(), query),
    stats: async (query) => statsRows(ended(), query),
    feed: async (query) => feedPage(holdings, name, query),
    prune: async (query) => prune(holdings, refusal, query),
    erase: async (query) => erase(holdings, refusal, query),
    erasures: async (among = []) => refusal.erasures(among),
    // All that is derived is made when it is asked for.
    reindex: async () => ({ interceptions: holdings.all().length, sessions: begun().length }),
    verify: async () => verified(holdings, begun().length),
    open: async () => {},
    close: async () => {},
  }
}

function interceptionPage(holdings: Holdings, query: InterceptionQuery): InterceptionPage {
  const { after, sort = 'newest' } = query
  const order = sort === 'newest' ? newestFirst : oldestFirst
  const cursor = after === undefined ? null : cursorOf(holdings, after, query)
  const found = holdings.all().filter(matching(query))
  return { count: found.length, results: pageOf(found, order, cursor, query) }
}

function cursorOf(holdings: Holdings, id: string, query: InterceptionQuery): StoredInterception {
  const { visibleTo } = query
  const isVisible = owner(visibleTo === undefined ? {} : { visibleTo })
  const stored = holdings.one(id)
  return knownCursor(stored && isVisible(stored.start) ? stored : null, 'interception', id)
}

function oldestFirst(a: StoredInterception, b: StoredInterception): number {
  return newestFirst(b, a)
}

function forget(holdings: Holdings, maxInterceptions: number): void {
  // Many at once: a Map whose first entries were deleted is slow to begin with.
  if (holdings.size <= maxInterceptions + Math.trunc(maxInterceptions / 16)) return
  for (const { id, start, end } of holdings.entries()) {
    if (holdings.size <= maxInterceptions) return
    if (!start || end) holdings.remove(id)
  }
}

function verified(holdings: Holdings, sessions: number): VerifyReport {
  const entries = [...holdings.entries()]
  return {
    interceptions: entries.filter(({ start }) => start).length,
    records: entries.reduce((sum, { records }) => sum + records.size, 0),
    sessions,
    open: entries.filter(({ start, end }) => start && !end).length,
    orphans: entries.filter(({ start }) => !start).length,
    faults: [],
  }
}

function remembered<K extends object, V>(make: (from: K) => V): (from: K) => V {
  const made = new WeakMap<K, { readonly value: V }>()
  return (from) => {
    const found = made.get(from) ?? { value: make(from) }
    made.set(from, found)
    return found.value
  }
}
