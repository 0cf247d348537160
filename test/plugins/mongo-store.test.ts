import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { MongoClient } from 'mongodb'
import type { Store } from '../../src/core/store.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { type MongoServer, mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'
import { storeContract } from './store-contract.ts'

const kinds = mongoServers()

test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})

for (const kind of kinds) {
  describe(`on ${kind.name}`, () => {
    let server: MongoServer
    let admin: MongoClient
    before(async () => {
      server = await kind.start()
      admin = new MongoClient(server.uri)
    })
    after(async () => {
      await admin.close()
      await server.remove()
    })

    const databases = new Map<Store, string>()
    storeContract({
      name: 'mongoRecorder',
      // The stand-ins read whole collections where MongoDB has indexes.
      histories: { 'mongo-java-server': 10, FerretDB: 2 }[kind.name] ?? 30,
      create: () => {
        const db = `sluice_test_${randomUUID()}`
        const store = mongoRecorder({ url: server.uri, db })
        databases.set(store, db)
        return store
      },
      dispose: async (store) => {
        await admin.db(databases.get(store)).dropDatabase()
      },
    })
  })
}
