import { from, lastValueFrom, Subject, toArray } from 'rxjs'
import type { EventOf, EventType, InterceptionEvent } from './core/events.ts'
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

/** An event for tests: give the members that matter. */
export function fakeEvent<T extends EventType>(
  type: T,
  members: Partial<EventOf<T>> = {},
): EventOf<T> {
  const event: EventOf<T> = { ...plain[type], ...members }
  Object.freeze(event)
  return event
}

/**
 * What a plugin records of these events, without a gateway: it sees those that it `observes`. An `end` with the outcome
 * `completed` is added where there is none. Rejects where the observer fails.
 */
export async function recordsOf(
  plugin: Plugin,
  events: readonly InterceptionEvent[],
  interception: Interception = fakeInterception(),
): Promise<RecordBody[]> {
  const all = events.at(-1)?.type === 'end' ? events : [...events, fakeEvent('end')]
  const isObserved = ({ type }: InterceptionEvent) => plugin.observes?.includes(type) ?? true
  if (!all.some(isObserved)) return []
  const events$ = new Subject<InterceptionEvent>()
  const observed = from(plugin.observe?.(events$.asObservable(), interception) ?? [])
  const records = lastValueFrom(observed.pipe(toArray()))
  for (const event of all) {
    if (isObserved(event) || event.type === 'end') events$.next(Object.freeze(event))
  }
  events$.complete()
  return records
}

const plain: { readonly [T in EventType]: EventOf<T> } = {
  request: { type: 'request', model: 'test-model', prompt: null, toolResults: [] },
  text: { type: 'text', messageId: 'msg_1', choice: 0, text: 'Hello' },
  reasoning: {
    type: 'reasoning',
    messageId: 'msg_1',
    source: 'thinking',
    index: 0,
    text: 'Hm.',
    redacted: false,
  },
  tool_call: {
    type: 'tool_call',
    messageId: 'msg_1',
    toolCallId: 'call_1',
    itemId: null,
    tool: 'test_tool',
    input: '{}',
    serverUrl: null,
    injected: false,
    invocationError: null,
    durationMs: null,
    metadata: {},
  },
  usage: {
    type: 'usage',
    messageId: 'msg_1',
    round: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadInputTokens: 0,
    cacheWriteInputTokens: 0,
    metadata: {},
    final: true,
  },
  finish: { type: 'finish', choice: 0, reason: 'stop' },
  error: { type: 'error', errorType: 'unknown', message: 'test error' },
  end: { type: 'end', outcome: 'completed', errorType: null, errorMessage: null },
}
