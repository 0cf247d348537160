import { setImmediate as turn } from 'node:timers/promises'
import type { Session } from '../../core/session.ts'
import type { Store } from '../../core/store.ts'
import { type Thread, threadOf } from '../../core/thread.ts'
import { eachParsed, foundInterceptions } from './found-interceptions.ts'
import type { StoreReader } from './store-reader.ts'

/** Asks the thread that reads. */
export type Ask = <Method extends keyof StoreReader>(
  method: Method,
  query: unknown,
) => Promise<ReturnType<StoreReader[Method]>>

/** The answers of a store, put together from those of the thread that reads. */
export function storeAnswers(
  ask: Ask,
): Pick<
  Store,
  'interceptions' | 'interception' | 'sessions' | 'session' | 'values' | 'stats' | 'feed'
> {
  return {
    interceptions: async (query = {}) => {
      const { count, countExact, texts } = await ask('interceptions', query)
      const results = await foundInterceptions(texts)
      return { count, ...(!countExact && { countExact }), results }
    },
    interception: async (id) => {
      const [found = null] = await foundInterceptions(await ask('interception', id))
      return found
    },
    sessions: async (query = {}) => {
      const { count, texts } = await ask('sessions', query)
      return { count, sessions: await eachParsed<Session>(texts) }
    },
    session: async (query) => {
      const found = await ask('session', query)
      if (found?.type !== 'session') return found
      const threads: Thread[] = []
      for (const texts of found.threads) {
        const [root, ...others] = await foundInterceptions(texts)
        const thread = root && threadOf(root, others)
        if (thread) threads.push(thread)
        await turn()
      }
      return { type: 'session', session: found.session, threads }
    },
    values: (query) => ask('values', query),
    stats: (query) => ask('stats', query),
    feed: async (query) => {
      const { cursors, texts, cursor, gap } = await ask('feed', query)
      const found = await foundInterceptions(texts)
      const results = found.flatMap((interception, at) => {
        const own = cursors[at]
        return own === undefined ? [] : [{ cursor: own, interception }]
      })
      return { results, cursor, ...(gap && { gap }) }
    },
  }
}
