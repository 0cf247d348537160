import type { MongoClient, MongoClientOptions } from 'mongodb'
import type { Recorder } from '../core/recorder.ts'
import { Connection } from './mongo/connection.ts'
import { findInterception, findInterceptions } from './mongo/record-reader.ts'
import { RecordWriter } from './mongo/record-writer.ts'

export interface MongoRecorderOptions extends MongoClientOptions {
  /** `mongodb://` or `mongodb+srv://`; login, TLS and replica set are named in it. Needed without `client`. */
  readonly url?: string
  /** A client to share with the host program, who closes it. @default one of the recorder's own */
  readonly client?: MongoClient
  /** @default the one that the URL (or the client's) names, else `sluice` */
  readonly db?: string
  /** @default 'interceptions' */
  readonly collection?: string
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
  ...clientOptions
}: MongoRecorderOptions): Recorder {
  const connection = new Connection({ url, client, db, collection, clientOptions })
  const writer = new RecordWriter()
  let warned = false
  return {
    name: 'mongo-recorder',
    provisional: true,
    record: (records) => connection.use((interceptions) => writer.write(interceptions, records)),
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
    },
    close: () => connection.close(),
  }
}
