import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { from, map, type Observable, of, toArray } from 'rxjs'
import type { InterceptionEvent } from '../../src/core/events.ts'
import { Lane } from '../../src/core/lane.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import type { RecordBody } from '../../src/core/records.ts'
import { toRecords } from '../../src/core/to-records.ts'
import { fakeInterception } from '../../src/testing.ts'

const text = (said: string): InterceptionEvent => ({
  type: 'text',
  messageId: 'msg_1',
  choice: 0,
  text: said,
})
const note = (said: string) => ({ type: 'note', said }) as unknown as RecordBody

/** A note of each text, two of `twice`, none of `none`; done with `last`; a fault at `bad`. */
const notes = toRecords((event, records) => {
  if (event.type !== 'text' || event.text === 'none') return
  if (event.text === 'bad') throw new Error('it was bad')
  records.next(note(event.text))
  if (event.text === 'twice') records.next(note(event.text))
  if (event.text === 'last') records.complete()
})

/** What a lane takes of an observer, and what faults it reports. */
function runLane(observe: (events$: Observable<InterceptionEvent>) => Observable<RecordBody>) {
  const taken: unknown[] = []
  const faults: unknown[] = []
  const plugin: Plugin = { name: 'notes', observe }
  const lane = new Lane(plugin, {
    interception: fakeInterception(),
    take: (_, body) => taken.push((body as { said: string }).said),
    failed: (_, error) => faults.push((error as Error).message),
  })
  return {
    taken,
    faults,
    lane,
    say: (...said: string[]) => lane.next(said.map(text), ~0),
  }
}

for (const [way, observe] of [
  ['called directly', (events$) => events$.pipe(notes)],
  [
    'subscribed to',
    (events$) =>
      events$.pipe(
        notes,
        map((body) => body),
      ),
  ],
] as [string, (events$: Observable<InterceptionEvent>) => Observable<RecordBody>][]) {
  test(`${way}: each event gives its records, in order, and the end of the events is its end`, () => {
    const { taken, faults, lane, say } = runLane(observe)
    say('one', 'none', 'twice')
    say('four')
    equal(lane.done, false)
    lane.complete()
    equal(lane.done, true)
    say('late')
    deepEqual([taken, faults], [['one', 'twice', 'twice', 'four'], []])
  })

  test(`${way}: once it says that it is complete it sees no more`, () => {
    const { taken, lane, say } = runLane(observe)
    say('one', 'last', 'more')
    say('more')
    deepEqual([taken, lane.done], [['one', 'last'], true])
  })

  test(`${way}: a throw closes its lane, told once, with what came before it kept`, () => {
    const { taken, faults, lane, say } = runLane(observe)
    say('one', 'bad', 'two')
    say('bad')
    deepEqual([taken, faults, lane.done], [['one'], ['it was bad'], true])
  })
}

test('outside of a lane it is an operator like any other', () => {
  const seen: unknown[] = []
  from([text('one'), text('twice')])
    .pipe(notes, toArray())
    .subscribe((all) => seen.push(...all))
  deepEqual(seen, [note('one'), note('twice'), note('twice')])
  const faults: string[] = []
  of(text('bad'))
    .pipe(notes)
    .subscribe({ error: (error: Error) => faults.push(error.message) })
  deepEqual(faults, ['it was bad'])
})

test('an observer that subscribes when the events are over is told so', () => {
  let events: Observable<InterceptionEvent> | undefined
  const { lane } = runLane((events$) => {
    events = events$
    return new (events$.constructor as typeof Observable)<RecordBody>()
  })
  lane.complete()
  let completed = false
  events?.subscribe({ complete: () => (completed = true) })
  equal(completed, true)
})
