import type { Recorder } from '../../core/recorder.ts'
import type { Erasures, Store } from '../../core/store.ts'
import { type DeadLetter, deadLetters, sweepDeadLetters } from './dead-letters.ts'
import type { Forgetting } from './forgetter.ts'
import { type Forgotten, type Owner, remaining } from './forgotten.ts'

export interface StoreBehindOptions {
  readonly store: Store
  readonly folder: string
  /** Passes a query on, where there is a store to ask. */
  ask<T>(query: () => Promise<T>): Promise<T>
  /** Goes through what waits. */
  forget(what: Forgotten): Promise<Forgetting>
}

/** Of a store that does not tell who was erased: nobody, for all that is known. */
export async function erasuresOf(store: Store, among?: readonly string[]): Promise<Erasures> {
  return (await store.erasures?.(among)) ?? { initiators: [], interceptions: [] }
}

/** What a store answers beside what a recorder does: passed on; and what it forgets is forgotten here, too. */
export function storeBehind({
  store,
  folder,
  ask,
  forget,
}: StoreBehindOptions): Omit<Store, keyof Recorder> {
  /** Of the dead letters whose start is stored, whose they are: asked before that is gone. */
  async function ownersOf(letters: readonly DeadLetter[]): Promise<Map<string, Owner>> {
    const owners = new Map<string, Owner>()
    for (const { record } of letters)
      if (record.type === 'interception_start') owners.set(record.interceptionId, record)
    for (const id of new Set(letters.map(({ record }) => record.interceptionId))) {
      const stored = owners.has(id) ? null : await store.interception(id)
      if (stored) owners.set(id, stored.start)
    }
    return owners
  }

  return {
    sessions: (query) => ask(() => store.sessions(query)),
    session: (query) => ask(() => store.session(query)),
    values: (query) => ask(() => store.values(query)),
    stats: (query) => ask(() => store.stats(query)),
    feed: (query) => ask(() => store.feed(query)),
    reindex: () => ask(() => store.reindex()),
    verify: () => ask(() => store.verify()),
    ...(store.erasures && { erasures: (among) => ask(async () => erasuresOf(store, among)) }),
    prune: (query) =>
      ask(async () => {
        if (query.dryRun) return store.prune(query)
        const owners = await ownersOf(await deadLetters(folder))
        // First the store's: what is on its way there, or in another process's journal, is refused from then on.
        const report = await store.prune(query)
        const { before, contentBefore } = query
        const what: Forgotten = {
          ...(before !== undefined && { before }),
          ...(contentBefore !== undefined && { contentBefore }),
        }
        await forget(what)
        await sweepDeadLetters(folder, (record) =>
          remaining(record, owners.get(record.interceptionId), what),
        )
        return report
      }),
    erase: (query) =>
      ask(async () => {
        if (query.dryRun) return store.erase(query)
        const until = query.before ?? new Date().toISOString()
        const owners = await ownersOf(await deadLetters(folder))
        const report = await store.erase({ ...query, before: until })
        const initiators = { ids: report.initiatorIds, username: query.initiator, until }
        const here = await forget({ initiators })
        // Those of that name who are not in the store yet: other journals may have more of them.
        const others = here.initiatorIds.filter((id) => !report.initiatorIds.includes(id))
        for (const id of others) await store.erase({ initiator: id, before: until })
        const ids = [...report.initiatorIds, ...others]
        await sweepDeadLetters(folder, (record) =>
          remaining(record, owners.get(record.interceptionId), {
            initiators: { ...initiators, ids },
          }),
        )
        const known = report.initiatorIds.filter(
          (id) => id !== query.initiator || others.length === 0 || here.initiatorIds.includes(id),
        )
        return {
          interceptions: report.interceptions + here.interceptions,
          initiatorIds: [...known, ...others].sort(),
        }
      }),
  }
}
