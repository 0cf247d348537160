import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import type { MongoServer } from '../support/mongo.ts'
import { type Report, runRig } from './rig.ts'

export interface OutageOptions {
  readonly server: MongoServer
  /** In ms. */
  readonly outage: number
  /** How long a streamed reply takes, in ms. */
  readonly pace: number
  /** @default 50 */
  readonly clients?: number
}

/** The store's process is killed, or ended, and started again after the outage. */
export function storeAway(how: 'kill' | 'stop', options: OutageOptions): Promise<Report> {
  const { server } = options
  return withoutStore(options, {
    take: () => server.end(how),
    giveBack: () => server.restart(),
  })
}

/** The store's process stands still: its connections stay, and answer nothing. */
export function storeHangs(options: OutageOptions): Promise<Report> {
  const { server } = options
  return withoutStore(options, {
    take: async () => server.freeze(),
    giveBack: async () => server.thaw(),
  })
}

function withoutStore(
  { server, outage, pace, clients = 50 }: OutageOptions,
  { take, giveBack }: { take(): Promise<void>; giveBack(): Promise<void> },
): Promise<Report> {
  const store = `${server.uri}crash`
  return runRig({ killed: false, store, pace, clients }, async ({ gateway, load }) => {
    await pause(1000)
    await take()
    // In the first quarter comes all that first requests bring into memory.
    const resident: number[] = []
    for (let quarter = 0; quarter < 4; quarter++) {
      await pause(outage / 4)
      resident.push(gateway.resident)
    }
    const [afterQuarter = 0, afterHalf = 0, , atEnd = 0] = resident
    const wholeByThen = load.whole
    await giveBack()
    await gateway.healthy()
    return {
      outageSeconds: outage / 1000,
      'MiB after a quarter of it': afterQuarter,
      'after half': afterHalf,
      'at its end': atEnd,
      'received whole by then': wholeByThen,
    }
  })
}

/** Another process keeps SQLite's write lock. */
export function storeLocked({ lock }: { lock: number }): Promise<Report> {
  return runRig({ killed: false }, async ({ gateway }) => {
    await pause(1000)
    const database = new DatabaseSync(gateway.store.slice('sqlite:'.length), { timeout: 5000 })
    database.exec('BEGIN IMMEDIATE')
    await pause(lock)
    database.exec('ROLLBACK')
    database.close()
    await gateway.healthy()
    return { lockSeconds: lock / 1000 }
  })
}
