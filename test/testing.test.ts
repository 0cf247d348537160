import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, map, tap } from 'rxjs'
import type { EventType, InterceptionEvent } from '../src/core/events.ts'
import type { Plugin } from '../src/core/plugin.ts'
import { fakeEvent, recordsOf } from '../src/testing.ts'

/** Records nothing and remembers what it saw. */
function witness(observes?: readonly EventType[]): Plugin & { readonly seen: InterceptionEvent[] } {
  const seen: InterceptionEvent[] = []
  return {
    name: 'witness',
    seen,
    ...(observes && { observes }),
    observe: (events$) =>
      events$.pipe(
        tap((event) => seen.push(event)),
        count(),
        map((times) => ({ type: 'answer' as const, msgId: '', choice: 0, bytes: times, text: '' })),
      ),
  }
}

test('a plugin under test sees all events, frozen, and an end where none is given', async () => {
  const plugin = witness()
  const [record] = await recordsOf(plugin, [fakeEvent('request'), fakeEvent('text')])
  assert.deepEqual(
    plugin.seen.map(({ type }) => type),
    ['request', 'text', 'end'],
  )
  assert.ok(plugin.seen.every(Object.isFrozen))
  assert.deepEqual(record, { type: 'answer', msgId: '', choice: 0, bytes: 3, text: '' })
})

test('a plugin under test sees what it observes and the end, and nothing where none of it comes', async () => {
  const plugin = witness(['usage'])
  const failed = fakeEvent('end', { outcome: 'failed' })
  await recordsOf(plugin, [fakeEvent('text'), fakeEvent('usage', { inputTokens: 3 }), failed])
  assert.deepEqual(plugin.seen, [fakeEvent('usage', { inputTokens: 3 }), failed])
  assert.deepEqual(await recordsOf(witness(['tool_call']), [fakeEvent('text')]), [])
})
