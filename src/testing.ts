import { from, lastValueFrom, Subject, toArray } from 'rxjs'
import type { EndEvent, InterceptionEvent } from './core/events.ts'
import type { Interception } from './core/interception.ts'
import type { Plugin } from './core/plugin.ts'
import type { RecordBody } from './core/records.ts'

export type { FakeUpstream, FakeUpstreamOptions } from './simulator/server.ts'
export { fakeUpstream } from './simulator/server.ts'

/** An interception for tests: give the members that matter. */
export function fakeInterception(members: Partial<Interception> = {}): Interception {
  return {
    id: '019b0000-0000-7000-8000-000000000001',
    initiator: { id: 'tester', username: 'tester' },
    provider: 'anthropic',
    providerName: 'anthropic',
    format: 'anthropic_messages',
    model: 'test-model',
    client: 'Unknown',
    sessionId: '019b0000-0000-7000-8000-000000000001',
    streaming: true,
    startedAt: new Date(),
    frames$: from([]),
    ...members,
  }
}

/**
 * What a plugin records of these events, without a gateway. An `end` with the outcome `completed` is added where
 * there is none. Rejects where the observer fails.
 */
export async function recordsOf(
  plugin: Plugin,
  events: readonly InterceptionEvent[],
  interception: Interception = fakeInterception(),
): Promise<RecordBody[]> {
  const events$ = new Subject<InterceptionEvent>()
  const observed = from(plugin.observe?.(events$.asObservable(), interception) ?? [])
  const records = lastValueFrom(observed.pipe(toArray()))
  for (const event of events) events$.next(Object.freeze(event))
  if (events.at(-1)?.type !== 'end') events$.next(completed)
  events$.complete()
  return records
}

const completed: EndEvent = Object.freeze({
  type: 'end',
  outcome: 'completed',
  errorType: null,
  errorMessage: null,
})
