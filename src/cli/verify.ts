import type { Command } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { counted, tell } from './tell.ts'
import { withStore } from './with-store.ts'

/** `sluice verify`: what is in the store, and whether all of it is as it should be. */
export function verifyCommand(): Command {
  return storeCommand({
    name: 'verify',
    description: 'count what is stored and look for faults; ends with 1 where there are some',
    examples: ['sluice verify', 'sluice verify --output json | jq .faults'],
  }).action((flags: StoreFlags) =>
    withStore(flags, async ({ store, name }) => {
      const report = await store.verify()
      const { interceptions, records, sessions, open, orphans, faults } = report
      tell(flags, report, [
        `${name}: ${counted(interceptions, 'interception')} with ${counted(records, 'record')} in ${counted(sessions, 'session')}`,
        `${counted(open, 'interception')} not ended, ${counted(orphans, 'interception')} without a start`,
        ...faults.map((fault) => `fault: ${fault}`),
      ])
      if (faults.length > 0)
        throw new SluiceError(`${name} has ${counted(faults.length, 'fault')}`, {
          code: 'ERR_FAULTS',
        })
    }),
  )
}
