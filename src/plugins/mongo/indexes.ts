import { type Collection, type Document, type IndexDescription, MongoNetworkError } from 'mongodb'
import { messageOf, SluiceError } from '../../core/errors.ts'
import type { Collections } from './collections.ts'

type Index = IndexDescription & { readonly key: Record<string, 1 | -1> }

const newestFirst = { startedAt: -1, _id: -1 } as const
const lastActiveFirst = { lastActiveAt: -1, sessionId: -1, initiatorId: -1 } as const
/** Few have the member: the index is as small. */
const sparse = true

/** Each list and each look-up has one, in the order in which it is read: no query sorts much. */
const indexes: Readonly<Partial<Record<keyof Collections, readonly Index[]>>> = {
  interceptions: [
    { name: 'sluice_ended_started', key: { ended: 1, ...newestFirst } },
    { name: 'sluice_initiator_id', key: { initiatorId: 1, ended: 1, ...newestFirst } },
    { name: 'sluice_offers', key: { initiatorId: 1, offers: 1, ...newestFirst } },
    { name: 'sluice_session_key', key: { initiatorId: 1, sessionKey: 1, ...newestFirst } },
    { name: 'sluice_wants', key: { initiatorId: 1, wants: 1, startedAt: 1 } },
    { name: 'sluice_above', key: { above: 1 } },
    { name: 'sluice_stale', key: { stale: 1 }, sparse },
    { name: 'sluice_worded', key: { worded: 1, startedAt: 1 } },
  ],
  digests: [
    { name: 'sluice_started', key: { ended: 1, ...newestFirst } },
    { name: 'sluice_initiator_id', key: { initiatorId: 1, ended: 1, ...newestFirst } },
    { name: 'sluice_initiator_username', key: { initiatorUsername: 1, ended: 1, ...newestFirst } },
    { name: 'sluice_provider', key: { ended: 1, provider: 1, ...newestFirst } },
    { name: 'sluice_provider_name', key: { ended: 1, providerName: 1, ...newestFirst } },
    { name: 'sluice_model', key: { ended: 1, model: 1, ...newestFirst } },
    { name: 'sluice_client', key: { ended: 1, client: 1, ...newestFirst } },
    { name: 'sluice_outcome', key: { ended: 1, outcome: 1, ...newestFirst } },
    { name: 'sluice_tools', key: { ended: 1, tools: 1, ...newestFirst } },
    { name: 'sluice_session_id', key: { sessionId: 1, ended: 1, ...newestFirst } },
    { name: 'sluice_annotations', key: { annotations: 1, ended: 1, ...newestFirst } },
    { name: 'sluice_threads', key: { session: 1, threadRootId: 1, startedAt: 1, _id: 1 } },
    { name: 'sluice_thread', key: { threadRootId: 1 } },
    { name: 'sluice_hour', key: { hour: 1 } },
    { name: 'sluice_feed', key: { fedAt: 1, feeder: 1, fedNumber: 1, initiatorId: 1 } },
    { name: 'sluice_gone', key: { goneAt: 1 }, sparse },
  ],
  texts: [{ name: 'sluice_words', key: { words: 1, ended: 1, ...newestFirst } }],
  sessions: [
    { name: 'sluice_active', key: lastActiveFirst },
    { name: 'sluice_started', key: { startedAt: -1, sessionId: -1, initiatorId: -1 } },
    { name: 'sluice_session_id', key: { sessionId: 1 } },
    { name: 'sluice_initiator_id', key: { initiatorId: 1, lastActiveAt: -1, sessionId: -1 } },
    {
      name: 'sluice_initiator_username',
      key: { initiatorUsername: 1, ...lastActiveFirst },
    },
    { name: 'sluice_providers', key: { providers: 1, ...lastActiveFirst } },
    { name: 'sluice_provider_names', key: { providerNames: 1, ...lastActiveFirst } },
    { name: 'sluice_models', key: { models: 1, ...lastActiveFirst } },
    { name: 'sluice_client', key: { client: 1, ...lastActiveFirst } },
    { name: 'sluice_dirty', key: { dirty: 1 }, sparse },
  ],
  hours: [
    { name: 'sluice_hour', key: { hour: 1 } },
    { name: 'sluice_initiator_id', key: { initiatorId: 1, hour: 1 } },
    { name: 'sluice_dirty', key: { dirty: 1 }, sparse },
  ],
}

/** Creates the indexes that are missing. Throws where one is missing after all, naming it. */
export async function ensureIndexes(collections: Collections): Promise<void> {
  for (const [name, wanted] of Object.entries(indexes))
    await ensure(collections[name as keyof Collections] as unknown as Collection, wanted)
}

async function ensure(collection: Collection, wanted: readonly Index[]): Promise<void> {
  const lacking = await missingFrom(collection, wanted)
  if (lacking.length === 0) return
  let refusal: unknown
  try {
    await collection.createIndexes([...lacking])
  } catch (error) {
    if (error instanceof MongoNetworkError) throw error
    // Another process may have created them meanwhile.
    refusal = error
  }
  const missing = await missingFrom(collection, wanted)
  if (missing.length === 0) return
  const named = missing.map(({ name, key }) => `${name} ${JSON.stringify(key)}`).join(', ')
  const reason = refusal === undefined ? '' : ` (${messageOf(refusal)})`
  throw new SluiceError(
    `the Mongo collection "${collection.namespace}" lacks the indexes ${named}${reason}: create them, drop an index of the same name, or let this user create indexes`,
    { code: 'ERR_STORE_INDEXES', cause: refusal },
  )
}

async function missingFrom(collection: Collection<Document>, wanted: readonly Index[]) {
  const there = await collection.indexes().catch((error) => {
    if (error instanceof MongoNetworkError) throw error
    return []
  })
  const keys = new Set(there.map(({ key }) => JSON.stringify(key)))
  return wanted.filter(({ key }) => !keys.has(JSON.stringify(key)))
}
