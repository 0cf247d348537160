import type { Log } from '../../core/diagnostics.ts'
import { messageOf } from '../../core/errors.ts'
import type { Accounts } from '../accounts/accounts.ts'

export interface FirstOwnerOptions {
  readonly accounts: Accounts
  readonly bootstrapToken: string | undefined
  readonly log: Log
  /** Until it is tried again where the store is away. @default 10 s */
  readonly againMs?: number
}

const name = 'owner'

/** Where the store has no user: makes the first, who holds the bootstrap token, or says how to make one. */
export async function firstOwner({
  accounts,
  bootstrapToken,
  log,
  againMs = 10_000,
}: FirstOwnerOptions): Promise<void> {
  if (accounts.closed) return
  try {
    if (bootstrapToken !== undefined) {
      if (await accounts.addFirst(name, bootstrapToken))
        log('info', `the first user "${name}" was made: it is owner and holds the bootstrap token`)
    } else if ((await accounts.users()).length === 0) {
      const way = 'sluice users add NAME --role owner && sluice tokens create NAME'
      log('warn', `nobody can use this gateway yet, since it has no user: ${way}`)
    }
  } catch (error) {
    log('error', `the users of the store cannot be read: ${messageOf(error)}`)
    setTimeout(() => firstOwner({ accounts, bootstrapToken, log, againMs }), againMs).unref()
  }
}
