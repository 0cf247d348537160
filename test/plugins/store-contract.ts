import { describe, test } from 'node:test'
import type { Store } from '../../src/core/store.ts'
import { eraseContract } from './store-contract/erase.ts'
import { feedContract } from './store-contract/feed.ts'
import { historyContract } from './store-contract/histories.ts'
import { listContract } from './store-contract/lists.ts'
import { pruneContract } from './store-contract/prune.ts'
import { searchContract } from './store-contract/search.ts'
import { sessionContract } from './store-contract/sessions.ts'
import { statsContract } from './store-contract/stats.ts'
import { threadContract } from './store-contract/threads.ts'
import { upkeepContract } from './store-contract/upkeep.ts'
import { valuesContract } from './store-contract/values.ts'

export interface StoreContractOptions {
  readonly name: string
  /** A store without anything in it, not yet open. */
  create(): Store | Promise<Store>
  /** Removes what `create` left behind; the store is closed by then. */
  dispose?(store: Store): void | Promise<void>
  readonly skip?: string | false
  /** Tests that a server can't pass, by a part of their names, and why. */
  readonly lacks?: Readonly<Record<string, string>>
  /** How many made-up histories are compared with the memory's answers. @default 30 */
  readonly histories?: number
}

/** What every store must answer and forget, beside what every recorder must do. Each test gets an empty store. */
export function storeContract({
  name,
  create,
  dispose,
  skip = false,
  lacks = {},
  histories = 30,
}: StoreContractOptions): void {
  describe(`${name} keeps the contract of stores`, { skip }, () => {
    async function using(run: (store: Store) => Promise<void>): Promise<void> {
      const store = await create()
      await store.open()
      try {
        await run(store)
      } finally {
        await store.close()
        await dispose?.(store)
      }
    }

    function check(behaviour: string, run: (store: Store) => Promise<void>): void {
      const [, lack = false] =
        Object.entries(lacks).find(([part]) => behaviour.includes(part)) ?? []
      test(behaviour, { skip: lack }, () => using(run))
    }

    describe('interceptions', () => listContract(check))
    describe('search', () => searchContract(check))
    describe('sessions', () => sessionContract(check))
    describe('threads', () => threadContract(check))
    describe('values', () => valuesContract(check))
    describe('stats', () => statsContract(check))
    describe('feed', () => feedContract(check, using))
    describe('prune', () => pruneContract(check))
    describe('erase', () => eraseContract(check))
    describe('upkeep', () => upkeepContract(check))
    describe('histories', () => historyContract(check, using, histories))
  })
}
