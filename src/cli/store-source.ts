import { setTimeout as sleep } from 'node:timers/promises'
import { SluiceError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { matching } from '../plugins/memory/matching.ts'
import { interceptionDetail, interceptionShape } from '../server/api/interception-shape.ts'
import { sessionDetailShape, sessionShape, sumsOf, tokensOf } from '../server/api/session-shape.ts'
import { exportText } from '../server/export.ts'
import type { FollowWish, Source, Told } from './source.ts'

/** The store itself, asked as an owner. */
export function storeSource(store: Store, me: string): Source {
  return {
    me,
    interceptions: async (query) => {
      const { count, results } = await orNamed(query.after, () => store.interceptions(query))
      return { count, results: results.map(interceptionShape) }
    },
    interception: async (id) => {
      const found = await store.interception(id)
      return found && interceptionDetail(found)
    },
    sessions: async (query) => {
      const { count, sessions } = await orNamed(query.after, () => store.sessions(query))
      return { count, sessions: sessions.map(sessionShape) }
    },
    session: async (query) => {
      const found = await orNamed(query.after ?? query.before, () => store.session(query))
      if (found?.type === 'ambiguous') {
        const names = found.initiators.map(({ username }) => username).join(', ')
        throw new SluiceError(
          `several users have a session of this id: say whose you mean with --initiator (${names})`,
          { code: 'ERR_AMBIGUOUS' },
        )
      }
      return found && sessionDetailShape(found.session, found.threads)
    },
    stats: async (query) =>
      (await store.stats(query)).map((row) => ({
        key: row.key,
        ...(row.initiatorId !== undefined && { initiator_id: row.initiatorId }),
        ...(row.bucket !== undefined && { bucket: row.bucket }),
        ...sumsOf(row),
        ...tokensOf(row),
      })),
    exported: async (wish) => exportText({ store, ...wish }),
    followed: (wish) => followed(store, wish),
  }
}

const pollEvery = 250

async function* followed(
  store: Store,
  { filter, signal, notice }: FollowWish,
): AsyncGenerator<Told, void> {
  const wants = matching({ ...filter, running: true })
  let { cursor: after } = await store.feed({})
  let isAway = false
  while (!signal.aborted) {
    const page = await store.feed({ after }).catch((error: unknown) => {
      const isPassing =
        error instanceof SluiceError && /^ERR_STORE_(AWAY|SLOW|LOCKED)$/.test(error.code)
      if (!isPassing) throw error
      if (!isAway) notice(`${error.message}: waiting`)
      return null
    })
    isAway = page === null
    if (page?.gap) notice('some are missing: they are no longer stored')
    for (const { interception } of page?.results ?? [])
      if (wants(interception)) yield interceptionShape(interception)
    after = page?.cursor ?? after
    if (!page || page.results.length === 0)
      await sleep(pollEvery, undefined, { signal }).catch(() => {})
  }
}

/** A cursor that is not there is named. */
async function orNamed<T>(after: string | undefined, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'ERR_CURSOR')) throw error
    throw new SluiceError(`there is no "${after}" to go on from`, { code: 'ERR_CURSOR' })
  }
}
