import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import type { EraseQuery, PruneQuery, Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { at } from '../../support/stored-records.ts'
import { answersOf, assertAnswers } from './answers.ts'
import type { Check, Using } from './check.ts'
import { moments, recordsOf, someInterceptions } from './made-up.ts'

/** Something that is done to a store between records. */
type Step =
  | { readonly type: 'record'; readonly records: readonly InterceptionRecord[] }
  | { readonly type: 'prune'; readonly query: PruneQuery }
  | { readonly type: 'erase'; readonly query: EraseQuery }
  | { readonly type: 'reindex' }
  | { readonly type: 'reopen' }

/**
 * Whatever happened, in whatever order and pieces its records came, some twice, and whatever was forgotten in
 * between: the store answers as the memory does that got each once and in order, and so it does after `reindex`.
 */
export function historyContract(check: Check, using: Using, runs: number): void {
  check('in any order, twice, in pieces, and forgetting between: as memory answers', async () => {
    await fc.assert(
      fc.asyncProperty(histories, ({ steps, inOrder }) =>
        using(async (store) => {
          const memory = memoryRecorder()
          const { cursor } = await store.feed({})
          for (const step of inOrder) await take(memory, step)
          for (const step of steps) await take(store, step)
          const answers = await answersOf(store)
          assertAnswers(answers, await answersOf(memory), 'as memory')
          assert.deepEqual(await fed(store, cursor), await ended(store), 'the feed missed none')
          await store.reindex()
          assertAnswers(await answersOf(store), answers, 'after reindex')
        }),
      ),
      // Making a failure small takes hundreds of runs: where each is slow, its seed must do.
      { numRuns: runs, endOnFailure: runs < 200 },
    )
  })
}

async function fed(store: Store, from: string): Promise<string[]> {
  const ids = new Set<string>()
  for (let after = from; ; ) {
    const { results, cursor } = await store.feed({ after, limit: 4 })
    for (const { interception } of results) ids.add(interception.id)
    if (results.length === 0) return [...ids].sort()
    after = cursor
  }
}

async function ended(store: Store): Promise<string[]> {
  return (await store.interceptions({ limit: 1000 })).results.map(({ id }) => id).sort()
}

async function take(store: Store, step: Step): Promise<void> {
  if (step.type === 'record') await store.record(step.records)
  if (step.type === 'prune') await store.prune(step.query)
  if (step.type === 'erase') await store.erase(step.query)
  if (step.type === 'reindex') await store.reindex()
  if (step.type === 'reopen') {
    await store.close()
    await store.open()
  }
}

const time = fc.constantFrom(...moments).map((ms) => at(ms + 1))

const deeds: fc.Arbitrary<Step> = fc.oneof(
  time.map((before): Step => ({ type: 'prune', query: { before } })),
  time.map((contentBefore): Step => ({ type: 'prune', query: { contentBefore } })),
  fc
    .tuple(fc.constantFrom('u-1', 'u-2'), time)
    .map(([initiator, before]): Step => ({ type: 'erase', query: { initiator, before } })),
  fc.constant<Step>({ type: 'reindex' }),
  fc.constant<Step>({ type: 'reopen' }),
)

/** The same history twice: as it comes to the store, and in order. */
const histories = someInterceptions
  .map(recordsOf)
  .chain((records) =>
    fc.record({
      records: fc.constant(records),
      shuffled: fc.shuffledSubarray(
        records.map((_, place) => place),
        { minLength: records.length },
      ),
      size: fc.integer({ min: 1, max: 12 }),
      again: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      deeds: fc.array(fc.record({ deed: deeds, at: fc.nat(12) }), { maxLength: 3 }),
      tail: fc.boolean(),
    }),
  )
  .map(({ records, shuffled, size, again, deeds, tail }) => {
    const order = versionsInOrder(records, shuffled)
    const steps: Step[] = []
    const inOrder: Step[] = []
    let given: number[] = []
    const inSum = () => {
      inOrder.push({ type: 'record', records: given.toSorted((a, b) => a - b).map(recordAt) })
      given = []
    }
    const recordAt = (place: number) => records[place] as InterceptionRecord
    for (let piece = 0; piece * size < order.length; piece++) {
      for (const { deed } of deeds.filter(({ at }) => at === piece)) {
        inSum()
        inOrder.push(deed)
        steps.push(deed)
      }
      const places = order.slice(piece * size, (piece + 1) * size)
      given.push(...places)
      const step: Step = { type: 'record', records: places.map(recordAt) }
      steps.push(step, ...(again[piece % again.length] ? [step] : []))
    }
    inSum()
    // What a journal sends once more, long after: the last version of each.
    const last = [...new Map(records.map((record) => [record.id, record])).values()]
    const more: Step = { type: 'record', records: last.toReversed() }
    return tail
      ? { steps: [...steps, more], inOrder: [...inOrder, { ...more, records: last } as Step] }
      : { steps, inOrder }
  })

/** A record's versions come in their order; all else as shuffled. */
function versionsInOrder(
  records: readonly InterceptionRecord[],
  shuffled: readonly number[],
): number[] {
  const waiting = Map.groupBy(
    records.map((_, place) => place),
    (place) => records[place]?.id,
  )
  return shuffled.map((place) => waiting.get(records[place]?.id)?.shift() as number)
}
