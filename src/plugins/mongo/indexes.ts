import { type Collection, type IndexDescription, MongoNetworkError } from 'mongodb'
import { messageOf, SluiceError } from '../../core/errors.ts'
import type { InterceptionDocument } from './interception-document.ts'

/** Each list and each look-up has one, in the order in which it is read: no query sorts. */
const indexes: readonly (IndexDescription & { readonly key: Record<string, 1 | -1> })[] = [
  { name: 'sluice_ended_started', key: { ended: 1, startedAt: -1, _id: -1 } },
  { name: 'sluice_initiator_id', key: { initiatorId: 1, ended: 1, startedAt: -1, _id: -1 } },
  {
    name: 'sluice_initiator_username',
    key: { initiatorUsername: 1, ended: 1, startedAt: -1, _id: -1 },
  },
  { name: 'sluice_annotations', key: { annotations: 1, ended: 1, startedAt: -1, _id: -1 } },
  { name: 'sluice_offers', key: { initiatorId: 1, offers: 1, startedAt: -1, _id: -1 } },
  { name: 'sluice_session_key', key: { initiatorId: 1, sessionKey: 1, startedAt: -1, _id: -1 } },
  { name: 'sluice_wants', key: { initiatorId: 1, wants: 1, startedAt: 1 } },
  { name: 'sluice_above', key: { above: 1 } },
]

/** Creates the indexes that are missing. Throws where one is missing after all, naming it. */
export async function ensureIndexes(collection: Collection<InterceptionDocument>): Promise<void> {
  const lacking = await missingFrom(collection)
  if (lacking.length === 0) return
  let refusal: unknown
  try {
    await collection.createIndexes(lacking)
  } catch (error) {
    if (error instanceof MongoNetworkError) throw error
    // Another process may have created them meanwhile.
    refusal = error
  }
  const missing = await missingFrom(collection)
  if (missing.length === 0) return
  const wanted = missing.map(({ name, key }) => `${name} ${JSON.stringify(key)}`).join(', ')
  const reason = refusal === undefined ? '' : ` (${messageOf(refusal)})`
  throw new SluiceError(
    `the Mongo collection "${collection.namespace}" lacks the indexes ${wanted}${reason}: create them, drop an index of the same name, or let this user create indexes`,
    { code: 'ERR_STORE_INDEXES', cause: refusal },
  )
}

async function missingFrom(collection: Collection<InterceptionDocument>) {
  const there = await collection.indexes().catch((error) => {
    if (error instanceof MongoNetworkError) throw error
    return []
  })
  const keys = new Set(there.map(({ key }) => JSON.stringify(key)))
  return indexes.filter(({ key }) => !keys.has(JSON.stringify(key)))
}
