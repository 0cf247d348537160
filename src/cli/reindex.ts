import type { Command } from 'commander'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { counted, tell } from './tell.ts'
import { withStore } from './with-store.ts'

/** `sluice reindex`: all that is derived from the records is made anew. */
export function reindexCommand(): Command {
  return storeCommand({
    name: 'reindex',
    description: 'make sessions, sums, links and the text index anew from what is recorded',
    examples: ['sluice reindex', 'sluice reindex --store mongodb://127.0.0.1/sluice'],
  }).action((flags: StoreFlags) =>
    withStore(flags, async ({ store, name }) => {
      const report = await store.reindex()
      const { interceptions, sessions, damaged = 0 } = report
      tell(flags, report, [
        `${name}: ${counted(interceptions, 'interception')} in ${counted(sessions, 'session')}`,
        ...(damaged > 0
          ? [`${counted(damaged, 'record')} could not be read: sluice verify says more`]
          : []),
      ])
    }),
  )
}
