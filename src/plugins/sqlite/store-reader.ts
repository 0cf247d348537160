import type { DatabaseSync } from 'node:sqlite'
import type { InterceptionQuery } from '../../core/recorder.ts'
import type {
  FeedQuery,
  SessionDetailQuery,
  SessionQuery,
  StatsQuery,
  ValuesQuery,
} from '../../core/store.ts'
import { erasures } from './erasures.ts'
import { isCorrupt } from './fault.ts'
import { feedList } from './feed-list.ts'
import { damagedParts } from './file-faults.ts'
import { interceptionList } from './interception-list.ts'
import { type IdTexts, interceptionTexts } from './interception-texts.ts'
import type { Methods } from './serve.ts'
import { sessionList } from './session-list.ts'
import { sessionThreads } from './session-threads.ts'
import { statsRows } from './stats-rows.ts'
import { valuesList } from './values-list.ts'
import { verify } from './verify.ts'

/** What is taken from a message at once holds up streams, in characters. */
const messageSize = 2 * 1024 ** 2
const readAtOnce = 16

/** Every answer is of one moment; nothing stays open after it. Whole interceptions are JSON texts. */
export function storeReader(database: DatabaseSync) {
  const texts = interceptionTexts(database)

  function atOnce<Query extends unknown[], Result>(
    read: (...query: Query) => Result,
  ): (...query: Query) => Result {
    return (...query) => {
      database.exec('BEGIN')
      try {
        return read(...query)
      } finally {
        end()
      }
    }
  }

  function asFit(wanted: readonly string[]): IdTexts {
    const fit = { ids: [] as string[], texts: [] as string[] }
    for (let size = 0; size < messageSize && fit.ids.length < wanted.length; ) {
      const more = texts.whole(wanted.slice(fit.ids.length, fit.ids.length + readAtOnce))
      fit.ids.push(...more.ids)
      fit.texts.push(...more.texts)
      size += more.texts.reduce((sum, text) => sum + text.length, 0)
    }
    return fit
  }

  /** What was read of a broken file counts, though its end fails. */
  function end(): void {
    try {
      database.exec('COMMIT')
    } catch (error) {
      if (!isCorrupt(error)) throw error
      if (database.isTransaction) database.exec('ROLLBACK')
    }
  }

  return {
    interceptions: atOnce((query: InterceptionQuery) => {
      const { ids, ...count } = interceptionList(database, query)
      return { ...count, ...texts.whole(ids) }
    }),
    interception: atOnce((id: string) => texts.whole([id])),
    /** Of interceptions that were found damaged. */
    salvaged: atOnce((ids: readonly string[]) => texts.salvaged(ids)),
    sessions: atOnce((query: SessionQuery) => {
      const { count, sessions } = sessionList(database, query)
      return { count, texts: sessions.map((session) => JSON.stringify(session)) }
    }),
    session: atOnce((query: SessionDetailQuery) => {
      const found = sessionThreads(database, query)
      if (found?.type !== 'session') return found
      return { ...found, begun: asFit(found.threads.flat()) }
    }),
    /** Of these the first ones, as many as fit into a message. */
    some: atOnce(asFit),
    values: atOnce((query: ValuesQuery) => valuesList(database, query)),
    stats: atOnce((query: StatsQuery) => statsRows(database, query)),
    feed: atOnce((query: FeedQuery) => {
      const { results, ...rest } = feedList(database, query)
      return { ...rest, places: results, ...texts.whole(results.map(({ id }) => id)) }
    }),
    erasures: atOnce((among: readonly string[]) => erasures(database, among)),
    damagedParts: atOnce((_query?: undefined) => damagedParts(database)),
    verify: atOnce((_query?: undefined) => verify(database)),
  } satisfies Methods
}

export type StoreReader = ReturnType<typeof storeReader>
