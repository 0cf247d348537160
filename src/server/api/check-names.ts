import type { Store } from '../../core/store.ts'
import { type Caller, canReadAll } from '../identity/caller.ts'
import type { Fault } from './fault.ts'
import { given, visibleTo } from './filters.ts'

export interface NameSources {
  readonly store: Store
  /** The providers that are configured. */
  readonly providerNames: () => readonly string[]
  /** Whether there is a user of this name or id, also without records. */
  readonly hasUser: (name: string) => Promise<boolean>
}

/** Users and providers that are asked for must be there: a misspelt name would find nothing, and say nothing. */
export async function checkNames(
  { initiator, provider_name: provider }: Readonly<Record<string, unknown>>,
  caller: Caller,
  sources: NameSources,
): Promise<readonly Fault[]> {
  const faults: Fault[] = []
  if (typeof initiator === 'string' && !(await isUser(initiator, caller, sources)))
    faults.push({
      field: 'initiator',
      detail: `Query param "initiator" has invalid value: user "${initiator}" either does not exist, or you are unauthorized to view them`,
    })
  if (typeof provider === 'string' && !(await isProvider(provider, caller, sources)))
    faults.push({
      field: 'provider_name',
      detail: `Query param "provider_name" has invalid value: provider "${provider}" is neither configured nor recorded`,
    })
  return faults
}

/** To members nobody else is there. */
async function isUser(
  name: string,
  { id, username, role }: Caller,
  { store, hasUser }: NameSources,
): Promise<boolean> {
  if (['me', id, username].includes(name)) return true
  if (!canReadAll(role)) return false
  if (await hasUser(name)) return true
  const page = await store.interceptions({ initiator: name, limit: 1, running: true })
  return page.results.length > 0
}

async function isProvider(
  name: string,
  caller: Caller,
  { store, providerNames }: NameSources,
): Promise<boolean> {
  if (providerNames().includes(name)) return true
  const [found] = await store.values({
    of: 'providerName',
    prefix: name,
    limit: 1,
    ...given(visibleTo(caller)),
  })
  return found === name
}
