import type { MongoClient, MongoClientOptions } from 'mongodb'
import { processId as ownProcessId } from '../core/process-id.ts'
import type { Store } from '../core/store.ts'
import { within } from '../core/within.ts'
import type { Collections } from './mongo/collections.ts'
import { Connection } from './mongo/connection.ts'
import { Counts } from './mongo/counts.ts'
import { erase } from './mongo/erase.ts'
import { erasures } from './mongo/erasures.ts'
import { findFeed } from './mongo/feed.ts'
import { prepare } from './mongo/prepare.ts'
import { prune } from './mongo/prune.ts'
import { findInterception, findInterceptions } from './mongo/record-reader.ts'
import { RecordWriter } from './mongo/record-writer.ts'
import { reindex } from './mongo/reindex.ts'
import { findSession } from './mongo/session-detail.ts'
import { findSessions } from './mongo/session-list.ts'
import { findStats } from './mongo/stats.ts'
import { Upkeep } from './mongo/upkeep.ts'
import { findValues } from './mongo/values.ts'
import { verify } from './mongo/verify.ts'
import { Vigil } from './mongo/vigil.ts'

export interface MongoRecorderOptions extends MongoClientOptions {
  /** `mongodb://` or `mongodb+srv://`; login, TLS and replica set are named in it. Needed without `client`. */
  readonly url?: string
  /** A client to share with the host program, who closes it. @default one of the recorder's own */
  readonly client?: MongoClient
  /** @default the one that the URL (or the client's) names, else `sluice` */
  readonly db?: string
  /** @default 'interceptions' */
  readonly collection?: string
  /** Whose open interceptions are this process's own. @default the process's own id */
  readonly processId?: string
  /** How often this process says that it lives. @default 10000 */
  readonly heartbeatMs?: number
  /** How long after its last word, by the server's clock, a process counts as dead. @default 60000 */
  readonly deadAfterMs?: number
  /** How often the open interceptions of dead processes are looked for and ended. @default 60000 */
  readonly reapMs?: number
  /** How often what other processes left undone is looked for; what is seen twice is done. @default 5000 */
  readonly sweepMs?: number
}

/**
 * Keeps records in MongoDB, one document per interception, for several gateways with one store. All other
 * options go to the driver's client (`maxPoolSize`, `serverSelectionTimeoutMS`, `timeoutMS`, …). By itself it
 * loses what is on its way while the server is away.
 */
export function mongoRecorder({
  url,
  client,
  db,
  collection = 'interceptions',
  processId = ownProcessId,
  heartbeatMs = 10_000,
  deadAfterMs = 60_000,
  reapMs = 60_000,
  sweepMs = 5000,
  ...clientOptions
}: MongoRecorderOptions): Store {
  const connection = new Connection({ url, client, db, collection, clientOptions })
  const upkeep = new Upkeep(connection, new RecordWriter())
  const counts = new Counts()
  const write: Store['record'] = (records) => upkeep.record(records)
  const chores = [
    { what: 'bring sessions and sums up to date', ms: 1000, act: () => upkeep.tick() },
    { what: 'look for what others left undone', ms: sweepMs, act: () => upkeep.sweep() },
  ]
  const times = { heartbeatMs, deadAfterMs, reapMs }
  const vigil = new Vigil(connection, { processId, ...times, write, chores })
  let warned = false

  /** Asks for lists, once what was left undone before shows in them. */
  function list<T>(query: (collections: Collections) => Promise<T>): Promise<T> {
    return connection.use(async (collections) => {
      await upkeep.ready()
      return query(collections)
    })
  }

  /** Asks for sessions and sums, once what this process wrote shows in them. */
  function sum<T>(query: (collections: Collections) => Promise<T>): Promise<T> {
    return connection.use(async (collections) => {
      await upkeep.settle()
      return query(collections)
    })
  }

  return {
    name: 'mongo-recorder',
    provisional: true,
    record: write,
    interceptions: (query = {}) =>
      list((collections) => findInterceptions(collections, counts, query)),
    interception: (id) => connection.use((collections) => findInterception(collections, id)),
    sessions: (query = {}) => sum((collections) => findSessions(collections, counts, query)),
    session: (query) => sum((collections) => findSession(collections, query)),
    values: (query) => list((collections) => findValues(collections, query)),
    stats: (query) => sum((collections) => findStats(collections, query)),
    feed: (query) => list((collections) => findFeed(collections, processId, query)),
    prune: (query) => connection.use((collections) => prune(collections, upkeep, processId, query)),
    erase: (query) => connection.use((collections) => erase(collections, upkeep, query)),
    erasures: (among = []) => connection.use((collections) => erasures(collections, among)),
    reindex: () => connection.use((collections) => reindex(collections, upkeep)),
    verify: () => connection.use((collections) => verify(collections, upkeep)),
    open: async (context) => {
      if (context && !context.journaled && !warned) {
        warned = true
        context.diagnostics.log(
          'warn',
          'mongo-recorder has no journal: while its server is away, or when this process dies, records on their way are lost and no reply waits for them; wrap it: journaled(mongoRecorder(…), { dir })',
        )
      }
      await connection.open()
      try {
        await connection.use(prepare)
        await vigil.start(context)
        upkeep.begin()
      } catch (error) {
        await connection.close()
        throw error
      }
    },
    reap: (processIds) => vigil.reap(processIds),
    close: async () => {
      await upkeep.end()
      const stopped = vigil.stop()
      // A server carries out what it was sent, also when its client has left: nothing shall come after close().
      await within(stopped, 1000)
      await connection.close()
      await stopped
    },
  }
}
