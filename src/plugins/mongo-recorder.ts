import type { MongoClient, MongoClientOptions } from 'mongodb'
import { processId as ownProcessId } from '../core/process-id.ts'
import type { Recorder } from '../core/recorder.ts'
import { Connection } from './mongo/connection.ts'
import { findInterception, findInterceptions } from './mongo/record-reader.ts'
import { RecordWriter } from './mongo/record-writer.ts'
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
  ...clientOptions
}: MongoRecorderOptions): Recorder {
  const connection = new Connection({ url, client, db, collection, clientOptions })
  const writer = new RecordWriter()
  const write: Recorder['record'] = (records) =>
    connection.use((interceptions) => writer.write(interceptions, records))
  const vigil = new Vigil(connection, { processId, heartbeatMs, deadAfterMs, reapMs, write })
  let warned = false
  return {
    name: 'mongo-recorder',
    provisional: true,
    record: write,
    interceptions: (query = {}) =>
      connection.use((interceptions) => findInterceptions(interceptions, query)),
    interception: (id) => connection.use((interceptions) => findInterception(interceptions, id)),
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
        await vigil.start(context)
      } catch (error) {
        await connection.close()
        throw error
      }
    },
    reap: (processIds) => vigil.reap(processIds),
    close: async () => {
      const stopped = vigil.stop()
      await connection.close()
      await stopped
    },
  }
}
