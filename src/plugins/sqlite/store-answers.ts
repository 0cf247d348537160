import { setImmediate as turn } from 'node:timers/promises'
import type { StoredInterception } from '../../core/recorder.ts'
import type { Session } from '../../core/session.ts'
import type { Store } from '../../core/store.ts'
import { type Thread, threadOf } from '../../core/thread.ts'
import { eachParsed, foundInterceptions, type Salvaging } from './found-interceptions.ts'
import type { IdTexts } from './interception-texts.ts'
import type { StoreReader } from './store-reader.ts'

/** Ids that go to the thread that reads. */
const mostAtOnce = 1000

/** Asks the thread that reads. */
export type Ask = <Method extends keyof StoreReader>(
  method: Method,
  query: unknown,
) => Promise<ReturnType<StoreReader[Method]>>

/** The answers of a store, put together from those of the thread that reads. */
export function storeAnswers(
  ask: Ask,
  onDamaged: Salvaging['onDamaged'] = () => {},
): Pick<
  Store,
  'interceptions' | 'interception' | 'sessions' | 'session' | 'values' | 'stats' | 'feed'
> {
  const salvaged: Salvaging['salvaged'] = (ids) => ask('salvaged', ids)
  const foundIn = (texts: IdTexts) => foundInterceptions(texts, { salvaged, onDamaged })

  /** Of long threads what does not fit into one message comes in others; it may be pruned in between. */
  async function allOf(ids: readonly string[], begun: IdTexts) {
    const stored = new Map<string, StoredInterception>()
    let texts = begun
    for (let done = 0; texts.ids.length > 0; ) {
      for (const each of await foundIn(texts)) stored.set(each.id, each)
      done += texts.ids.length
      if (done >= ids.length) break
      texts = await ask('some', ids.slice(done, done + mostAtOnce))
    }
    return stored
  }

  return {
    interceptions: async (query = {}) => {
      const { count, countExact, ...texts } = await ask('interceptions', query)
      const results = await foundIn(texts)
      return { count, ...(!countExact && { countExact }), results }
    },
    interception: async (id) => {
      const [found = null] = await foundIn(await ask('interception', id))
      return found
    },
    sessions: async (query = {}) => {
      const { count, texts } = await ask('sessions', query)
      return { count, sessions: (await eachParsed(texts)) as Session[] }
    },
    session: async (query) => {
      const found = await ask('session', query)
      if (found?.type !== 'session') return found
      const stored = await allOf(found.threads.flat(), found.begun)
      const threads: Thread[] = []
      for (const members of found.threads) {
        const [root, ...others] = members.map((id) => stored.get(id))
        const there = others.filter((each) => each !== undefined)
        const thread = root && (await threadOf(root, there))
        if (thread) threads.push(thread)
        await turn()
      }
      return { type: 'session', session: found.session, threads }
    },
    values: (query) => ask('values', query),
    stats: (query) => ask('stats', query),
    feed: async (query) => {
      const { places, cursor, gap, ...texts } = await ask('feed', query)
      const found = new Map((await foundIn(texts)).map((each) => [each.id, each]))
      const results = places.flatMap(({ id, cursor }) => {
        const interception = found.get(id)
        return interception ? [{ cursor, interception }] : []
      })
      return { results, cursor, ...(gap && { gap }) }
    },
  }
}
