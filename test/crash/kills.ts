import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { type Report, runRig } from './rig.ts'

export interface KillOptions {
  readonly kills: number
  /** @default SQLite */
  readonly store?: string
  /** Longest time between a start and a kill, in ms. */
  readonly between: number
}

/** How many replies show that the last gateway works on what the others left. */
const enough = 20

/** `kill -9` of the gateway at random moments; each time another is started on what it left. */
export function killGateway({ kills, store, between }: KillOptions): Promise<Report> {
  return runRig({ killed: true, ...(store && { store }) }, async ({ gateway, load }) => {
    for (let kill = 0; kill < kills; kill++) {
      await pause(Math.random() * between)
      await gateway.end('SIGKILL')
      await gateway.start()
    }
    await load.more(enough)
    return { kills }
  })
}

/** `kill -9` of single workers; the others go on, and end what those left open. */
export function killWorkers({ kills, store, between }: KillOptions): Promise<Report> {
  const args = ['--workers', '3']
  return runRig({ killed: true, args, ...(store && { store }) }, async ({ gateway, load }) => {
    for (let kill = 0; kill < kills; kill++) {
      await pause(Math.random() * between)
      const { workers } = gateway
      const victim = workers[Math.trunc(Math.random() * workers.length)]
      if (victim) process.kill(victim, 'SIGKILL')
    }
    await load.stop()
    const openSeconds = store ? 0 : await untilNothingIsOpen(gateway.store)
    return { kills, openSeconds }
  })
}

/** How long it takes until the living have ended what the dead left open: nobody else opens the store. */
async function untilNothingIsOpen(store: string): Promise<number> {
  const begin = performance.now()
  const database = new DatabaseSync(store.slice('sqlite:'.length), { readOnly: true })
  try {
    const count = database.prepare('SELECT count(*) AS open FROM interceptions WHERE ended = 0')
    while (Number(count.get()?.open) > 0 && performance.now() - begin < 120_000) await pause(20)
  } finally {
    database.close()
  }
  return (performance.now() - begin) / 1000
}

/** SIGTERM amid streams and writes. Each time it has to end in order, and another goes on. */
export function stopGateway({ kills, store, between }: KillOptions): Promise<Report> {
  // Some streams end in time, the others are aborted.
  const args = ['--drain-timeout', '30ms']
  return runRig({ killed: true, args, ...(store && { store }) }, async ({ gateway, load }) => {
    let disorderly = 0
    for (let kill = 0; kill < kills; kill++) {
      await pause(Math.random() * between)
      if ((await gateway.end('SIGTERM')) !== 0) disorderly++
      await gateway.start()
    }
    await load.more(enough)
    return { stops: kills, disorderly }
  })
}
