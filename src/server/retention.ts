import { setTimeout as sleep } from 'node:timers/promises'
import type { Diagnostics } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import type { PruneQuery, Store } from '../core/store.ts'
import type { Settings } from './settings.ts'

export interface RetentionOptions {
  readonly store: Pick<Store, 'prune'>
  readonly config: Pick<Settings, 'retention' | 'retentionContent'>
  readonly diagnostics: Diagnostics
  /** From the end of a run to the next, in ms, give or take a tenth. @default 600000 */
  readonly every?: number
  /** The same after a run that failed. @default 60000 */
  readonly retryAfter?: number
}

/** How long the store may be at it in one go, and how long it is then left alone, in ms. */
const budget = 250
const pause = 100

/**
 * Has the store forget what is older than the settings say: now and then, in slices, while traffic flows. Where
 * several processes do this the store lets one of them; a store that is away is tried again.
 */
export function startRetention({
  store,
  config,
  diagnostics,
  every = 600_000,
  retryAfter = 60_000,
}: RetentionOptions): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  const removed = { interceptions: 0, contents: 0 }
  let away = false

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      const wait = (await run()) ? every : retryAfter
      // Processes that start together do not stay together.
      await rest(wait * (0.9 + Math.random() * 0.2))
    }
  }

  /** False where the store could not do it. */
  async function run(): Promise<boolean> {
    try {
      await prune()
      if (away) diagnostics.log('info', 'the store can be pruned again')
      away = false
    } catch (error) {
      if (!away)
        diagnostics.log(
          'warn',
          `the store could not be pruned, it is tried again: ${messageOf(error)}`,
        )
      away = true
    }
    if (removed.interceptions + removed.contents > 0)
      diagnostics.log('info', 'pruned what was older than the retention', { ...removed })
    removed.interceptions = 0
    removed.contents = 0
    return !away
  }

  async function prune(): Promise<void> {
    const query = pruneLimits(config)
    while (!signal.aborted) {
      const { interceptions, contents, done, busy } = await store.prune({ ...query, budget })
      removed.interceptions += interceptions
      removed.contents += contents
      if (interceptions > 0) diagnostics.count('pruned', { kind: 'interception' }, interceptions)
      if (contents > 0) diagnostics.count('pruned', { kind: 'content' }, contents)
      if (done || busy) return
      await rest(pause)
    }
  }

  /** Ends early where it is to stop; nothing waits for it where all else has ended. */
  async function rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal, ref: false }).catch(() => {})
  }

  const isNeeded = Object.keys(pruneLimits(config)).length > 0
  const ended = isNeeded ? loop() : Promise.resolve()
  return {
    stop: async () => {
      stopping.abort()
      await ended
    },
  }
}

/** What is to be forgotten by now. */
export function pruneLimits(
  { retention, retentionContent = retention }: RetentionOptions['config'],
  now = Date.now(),
): Pick<PruneQuery, 'before' | 'contentBefore'> {
  // What somebody wrote goes with its interception at the latest.
  const apart = retentionContent > 0 && (retention === 0 || retentionContent < retention)
  return {
    ...(retention > 0 && { before: timeBefore(now, retention) }),
    ...(apart && { contentBefore: timeBefore(now, retentionContent) }),
  }
}

/** RFC 3339; nothing is older than 1970. */
export function timeBefore(now: number, age: number): string {
  return new Date(Math.max(0, now - age)).toISOString()
}
