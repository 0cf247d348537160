import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'

/** What MongoDB does and a stand-in may not. */
export type MongoAbility = keyof typeof probes

/** Why a test is skipped on this server: false where the server can do it. */
export async function lacks(uri: string, ability: MongoAbility): Promise<string | false> {
  const client = new MongoClient(uri)
  const db = client.db(`sluice_probe_${randomUUID()}`)
  try {
    const able = await probes[ability](db.collection('probe')).catch(() => false)
    return able ? false : `this server is no match for MongoDB: ${ability}`
  } finally {
    // What the probe upset may not let itself be dropped; the server goes anyway.
    await db.dropDatabase().catch(() => {})
    await client.close()
  }
}

type Probed = ReturnType<ReturnType<MongoClient['db']>['collection']>

const probes = {
  /** Of several updates of one document at once each counts. */
  'concurrent updates': async (probe: Probed): Promise<boolean> => {
    await probe.insertOne({ name: 'one' })
    const names = Array.from({ length: 30 }, (_, index) => `member${index}`)
    await Promise.all(
      names.map((name) => probe.updateOne({ name: 'one' }, { $set: { [name]: 1 } })),
    )
    const found = await probe.findOne({ name: 'one' })
    return names.every((name) => found?.[name] === 1)
  },
  /** A second index of the same name is refused. */
  'index conflicts': async (probe: Probed): Promise<boolean> => {
    await probe.createIndex({ a: 1 }, { name: 'same' })
    return await probe.createIndex({ b: 1 }, { name: 'same' }).then(
      () => false,
      () => true,
    )
  },
}
