import type { Store } from '../../../src/core/store.ts'
import { backfill } from '../../../src/plugins/sqlite/backfill.ts'
import { chores } from '../../../src/plugins/sqlite/chores.ts'
import { erase } from '../../../src/plugins/sqlite/erase.ts'
import { openDatabase, openToRead } from '../../../src/plugins/sqlite/open-database.ts'
import { prune } from '../../../src/plugins/sqlite/prune.ts'
import { encodeRecords } from '../../../src/plugins/sqlite/record-rows.ts'
import { type Reindexed, reindex } from '../../../src/plugins/sqlite/reindex.ts'
import { type Ask, storeAnswers } from '../../../src/plugins/sqlite/store-answers.ts'
import { storeReader } from '../../../src/plugins/sqlite/store-reader.ts'
import { storeWriter } from '../../../src/plugins/sqlite/store-writer.ts'
import { reindexReport } from '../../../src/plugins/sqlite/told-damage.ts'

/** The SQLite store without its threads: a hundred made-up histories take seconds. */
export function inThreadStore(path: string): Store {
  let opened: ReturnType<typeof open> | undefined
  const parts = () => {
    opened ??= open(path)
    return opened
  }
  const ask = (async (method: string, query: unknown) =>
    structuredClone(parts().reader[method as 'stats'](query as never))) as unknown as Ask
  const no = { interceptions: 0, contents: 0, done: false, busy: true }
  return {
    name: 'sqlite-recorder',
    record: async (records) => {
      for (const rows of encodeRecords(records)) parts().store.write(rows)
    },
    ...storeAnswers(ask),
    prune: async (query) => {
      const { store, work } = parts()
      return (await work.run({ wait: false }, (slices) => prune(store, slices, query))) ?? no
    },
    erase: async (query) => {
      const { store, work } = parts()
      return work.run({ wait: true }, (slices) => erase(store, slices, query)) as never
    },
    erasures: (among = []) => ask('erasures', among),
    reindex: async () => {
      const { store, work } = parts()
      const broken = parts().reader.damagedParts()
      const done = await work.run({ wait: true }, (slices) => reindex(store, slices, broken))
      return reindexReport(done as Reindexed, () => {})
    },
    verify: async () => parts().reader.verify(),
    open: async () => {
      await parts().filled
    },
    close: async () => {
      const { work, store, readable } = parts()
      await work.close()
      store.database.close()
      readable.close()
      opened = undefined
    },
  }
}

function open(path: string) {
  const options = { path, synchronous: 'normal', processId: 'a-process' } as const
  const store = storeWriter(openDatabase(options), () => true)
  const work = chores(store, 'a-process')
  const filled = backfill(
    store,
    'a-process',
    () => false,
    () => false,
  )
  const readable = openToRead(options)
  return { store, work, filled, readable, reader: storeReader(readable) }
}
