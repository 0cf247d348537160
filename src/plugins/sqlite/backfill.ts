import { setTimeout as pause } from 'node:timers/promises'
import { lease } from './lease.ts'
import { meta } from './meta.ts'
import { renewal } from './reindex.ts'
import type { StoreWriter } from './store-writer.ts'

/** How long opening may take longer for it, in ms; the rest is done beside the traffic. */
const atOnce = 2000
const slice = 8

/**
 * Derives what a file of an earlier schema has no summaries of yet, the newest first; and links what was recorded
 * before threads were. Goes on where it, or another process, was stopped.
 */
export async function backfill(
  store: StoreWriter,
  owner: string,
  isClosed: () => boolean,
  isBusy: () => boolean,
): Promise<void> {
  const facts = meta(store.database)
  if (facts.text('backfill') === null) return
  const next = store.database.prepare(
    'SELECT id FROM interceptions WHERE id <= ? ORDER BY id DESC LIMIT 1',
  )
  const drop = store.database.prepare(
    'SELECT id FROM interceptions WHERE id < ? ORDER BY id DESC LIMIT 1',
  )
  const renew = renewal(store)
  const held = lease(store.database, owner, 'backfill_lease')
  const began = performance.now()

  function work(): 'done' | 'more' | 'busy' {
    return store.change(() => {
      const end = performance.now() + slice
      if (!held.take()) return 'busy'
      let id = facts.text('backfill')
      if (id !== null) id = nullable(next.get(id)?.id)
      while (id !== null && performance.now() < end) {
        renew(id)
        id = nullable(drop.get(id)?.id)
      }
      facts.set('backfill', id)
      if (id === null) held.release()
      return id === null ? 'done' : 'more'
    })
  }

  for (;;) {
    if (isClosed()) return
    if (!isBusy()) {
      const state = work()
      if (state === 'done') return
      if (state === 'busy') await pause(1000)
    }
    if (performance.now() - began > atOnce) await pause(5)
  }
}

function nullable(id: unknown): string | null {
  return typeof id === 'string' ? id : null
}
