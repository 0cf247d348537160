import { type MongoServer, type MongoServerKind, mongoServers } from '../support/mongo.ts'
import { fullDisk, smallDisk } from './full-disk.ts'
import { killGateway, killWorkers, stopGateway } from './kills.ts'
import { storeAway, storeHangs, storeLocked } from './outages.ts'
import type { Report } from './rig.ts'

/** How much of it there is to be. */
export interface Extent {
  readonly kills: number
  /** Longest time between two of them, in ms. */
  readonly between: number
  /** Of the store, in ms. */
  readonly outage: number
  /** Of the store, in which the memory must not grow, in ms. */
  readonly away: number
  /** How long a streamed reply takes while the store is away, in ms. */
  readonly pace: number
}

export interface Scenario {
  readonly name: string
  /** Says why it can't run here; undefined where it can. */
  missing?(): string | undefined
  run(extent: Extent): Promise<Report>
}

/** Everything that happens to a gateway and its store. */
export const scenarios: readonly Scenario[] = [
  { name: 'gateway-killed', run: ({ kills, between }) => killGateway({ kills, between }) },
  { name: 'worker-killed', run: ({ kills, between }) => killWorkers({ kills, between }) },
  { name: 'gateway-stopped', run: ({ kills, between }) => stopGateway({ kills, between }) },
  { name: 'sqlite-locked', run: () => storeLocked({ lock: 5000 }) },
  {
    name: 'disk-full',
    missing: () => {
      const disk = smallDisk(1)
      disk?.remove()
      return disk ? undefined : 'needs a user who may mount a tmpfs'
    },
    run: async ({ outage }) => {
      const disk = smallDisk(64)
      if (!disk) throw new Error('this user may not mount a tmpfs')
      try {
        return await fullDisk(disk.folder, { full: outage / 5 })
      } finally {
        disk.remove()
      }
    },
  },
  withMongo('journal-gateway-killed', 'stop', ({ uri }, { kills, between }) =>
    killGateway({ kills, between, store: `${uri}crash` }),
  ),
  withMongo('journal-worker-killed', 'stop', ({ uri }, { kills, between }) =>
    killWorkers({ kills, between, store: `${uri}crash` }),
  ),
  withMongo('journal-gateway-stopped', 'stop', ({ uri }, { kills, between }) =>
    stopGateway({ kills, between, store: `${uri}crash` }),
  ),
  withMongo('store-killed', 'kill', (server, { outage, pace }) =>
    // The stand-in that survives it takes some thirty interceptions a second.
    storeAway('kill', { server, outage, pace, clients: 10 }),
  ),
  withMongo('store-stopped', 'stop', (server, { outage, pace }) =>
    storeAway('stop', { server, outage, pace }),
  ),
  withMongo('store-hangs', 'stop', (server, { outage, pace }) =>
    storeHangs({ server, outage, pace }),
  ),
  withMongo('store-away', 'stop', (server, { away, pace }) =>
    storeAway('stop', { server, outage: away, pace }),
  ),
]

/** A scenario with a Mongo of its own that survives what is done to it. */
function withMongo(
  name: string,
  survives: 'kill' | 'stop',
  run: (server: MongoServer, extent: Extent) => Promise<Report>,
): Scenario {
  // What survives a kill survives a stop, too.
  const kind = (): MongoServerKind | undefined =>
    mongoServers().find((each) => each.survives === survives) ??
    mongoServers().find((each) => each.survives === 'kill')
  return {
    name,
    missing: () => (kind() ? undefined : 'needs mongo: .ci/mongo-stand-ins installs stand-ins'),
    run: async (extent) => {
      const server = await kind()?.start()
      if (!server) throw new Error('there is no Mongo server')
      try {
        return await run(server, extent)
      } finally {
        server.thaw()
        await server.remove()
      }
    },
  }
}
