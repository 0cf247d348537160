import { after, before } from 'node:test'
import { MongoClient } from 'mongodb'
import type { MongoServer, MongoServerKind } from './mongo.ts'

/** A server and a client of it; there while the tests run. */
export interface TestedMongo {
  readonly server: MongoServer
  readonly admin: MongoClient
}

/** Starts a server of that kind for the tests of the `describe` around it, and removes it after them. */
export function testedMongo(kind: MongoServerKind): TestedMongo {
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
  return {
    get server() {
      return server
    },
    get admin() {
      return admin
    },
  }
}
