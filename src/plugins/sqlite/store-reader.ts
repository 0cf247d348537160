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
import { feedList } from './feed-list.ts'
import { damagedParts } from './file-faults.ts'
import { interceptionList } from './interception-list.ts'
import { interceptionTexts } from './interception-texts.ts'
import type { Methods } from './serve.ts'
import { sessionList } from './session-list.ts'
import { sessionThreads } from './session-threads.ts'
import { statsRows } from './stats-rows.ts'
import { valuesList } from './values-list.ts'
import { verify } from './verify.ts'

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
        database.exec('COMMIT')
      }
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
      return { ...found, threads: found.threads.map((ids) => texts.whole(ids)) }
    }),
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
