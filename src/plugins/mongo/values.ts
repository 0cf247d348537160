import type { ValueName, ValuesQuery } from '../../core/store.ts'
import type { Collections } from './collections.ts'

const members: Readonly<Record<ValueName, string>> = {
  model: 'model',
  client: 'client',
  provider: 'provider',
  providerName: 'providerName',
  tool: 'tools',
  initiator: 'initiatorUsername',
}

/** What occurs, in order; each member has an index in which MongoDB can go from value to value. */
export async function findValues(
  { digests }: Collections,
  { of, visibleTo, prefix = '', limit = 100, offset = 0 }: ValuesQuery,
): Promise<string[]> {
  const filter = { ended: true, ...(visibleTo !== undefined && { initiatorId: visibleTo }) }
  const found = await digests.distinct(members[of], filter)
  return found
    .filter((value): value is string => typeof value === 'string' && value.startsWith(prefix))
    .sort()
    .slice(offset, offset + limit)
}
