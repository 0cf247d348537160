import assert from 'node:assert/strict'
import fc from 'fast-check'
import { interceptionId } from '../../src/core/ids.ts'
import { type Links, linkAll } from '../../src/core/links.ts'
import type { Recorder, StoredInterception } from '../../src/core/recorder.ts'
import type { InterceptionRecord, InterceptionStart } from '../../src/core/records.ts'
import { end, start, tool } from '../support/stored-records.ts'

type Check = (behaviour: string, run: (recorder: Recorder) => Promise<void>) => void

const hour = 60 * 60 * 1000

/** What a recorder that links must do: threads join whoever wrote their parts, and in whatever order. */
export function linksContract(check: Check, runs = 60): void {
  check(
    'a request that answers a stored call joins the caller’s thread and session',
    async (recorder) => {
      const { parent, child } = family()
      await recorder.record(parent.records)
      await recorder.record(child.records)
      await hangs(recorder, child.id, { parent: parent.id, root: parent.id, session: parent.id })
      await hangs(recorder, parent.id, { parent: null, root: null, session: parent.id })
      const [listed] = (await recorder.interceptions({ limit: 1 })).results
      assert.equal(listed?.start.threadParentId, parent.id)
    },
  )

  check('a call that arrives later adopts those that wait for it', async (recorder) => {
    const { parent, child } = family()
    await recorder.record(child.records)
    await hangs(recorder, child.id, { parent: null, root: null, session: child.id })
    const [begun, call, ended] = parent.records as [
      InterceptionRecord,
      InterceptionRecord,
      InterceptionRecord,
    ]
    for (const record of [call, ended, begun]) await recorder.record([record])
    await hangs(recorder, child.id, { parent: parent.id, root: parent.id, session: parent.id })
  })

  check(
    'root and session follow down the whole thread, whichever end comes first',
    async (recorder) => {
      const ids = Array.from({ length: 5 }, interceptionId)
      const chain = ids.map((id, at) =>
        one(id, at, { calls: [`call-${at}`], answers: at === 0 ? null : `call-${at - 1}` }),
      )
      for (const { records } of chain.toReversed()) await recorder.record(records)
      const root = ids[0] as string
      for (const [at, id] of ids.entries()) {
        if (at > 0)
          await hangs(recorder, id, { parent: ids[at - 1] as string, root, session: root })
      }
    },
  )

  check('a client’s own session id stays', async (recorder) => {
    const { parent, child } = family({ clientSessionId: 'mine', sessionId: 'mine' })
    await recorder.record([...child.records, ...parent.records])
    await hangs(recorder, child.id, { parent: parent.id, root: parent.id, session: 'mine' })
  })

  check('what its process knew stays, and its root follows', async (recorder) => {
    const [top, middle, low] = [interceptionId(), interceptionId(), interceptionId()]
    const known = { threadParentId: middle, threadRootId: middle, sessionId: middle }
    await recorder.record(one(low, 2, { answers: 'b', start: known }).records)
    await hangs(recorder, low, { parent: middle, root: middle, session: middle })
    await recorder.record(one(middle, 1, { calls: ['b'], answers: 'a' }).records)
    await recorder.record(one(top, 0, { calls: ['a'] }).records)
    await hangs(recorder, low, { parent: middle, root: top, session: top })
  })

  check('a retry keeps the thread of its first try', async (recorder) => {
    const { parent, child } = family()
    const retry = interceptionId()
    const again = { retryOf: child.id, threadRootId: child.id, sessionId: child.id }
    await recorder.record(one(retry, 2, { answers: 'a-call', start: again }).records)
    await recorder.record(child.records)
    await hangs(recorder, retry, { parent: null, root: child.id, session: child.id })
    await recorder.record(parent.records)
    await hangs(recorder, retry, { parent: parent.id, root: parent.id, session: parent.id })
  })

  check('a sub-agent hangs under the newest that made a call in its session', async (recorder) => {
    const [early, late, agent] = [interceptionId(), interceptionId(), interceptionId()]
    const session = { clientSessionId: 's', sessionId: 's' }
    await recorder.record(one(agent, 5, { start: { ...session, agentId: 'a1' } }).records)
    await recorder.record(one(early, 1, { calls: ['x'], start: session }).records)
    await recorder.record(one(late, 2, { calls: ['y'], start: session }).records)
    await recorder.record(one(interceptionId(), 3, { start: session }).records)
    await hangs(recorder, agent, { parent: late, root: late, session: 's' })
  })

  check('of several with the same call id the newest before it counts', async (recorder) => {
    const [old, recent, child, after] = [0, 1, 2, 3].map(interceptionId) as [
      string,
      string,
      string,
      string,
    ]
    await recorder.record(one(child, 20, { answers: 'call_0' }).records)
    for (const [id, ms] of [
      [recent, 10],
      [old, 0],
      [after, 30],
    ] as const)
      await recorder.record(one(id, ms, { calls: ['call_0'] }).records)
    await hangs(recorder, child, { parent: recent, root: recent, session: recent })
  })

  check(
    'nobody hangs on another initiator’s call, nor on one that is older than a day',
    async (recorder) => {
      const { parent, child } = family()
      const others = start(parent.id, { initiatorId: 'u-9' })
      await recorder.record([...child.records, ...parent.records.with(0, others)])
      await hangs(recorder, child.id, { parent: null, root: null, session: child.id })

      const [made, inTime, tooLate] = [interceptionId(), interceptionId(), interceptionId()]
      await recorder.record(one(made, 0, { calls: ['slow'] }).records)
      await recorder.record(one(inTime, 24 * hour, { answers: 'slow' }).records)
      await recorder.record(one(tooLate, 24 * hour + 1, { answers: 'slow' }).records)
      await hangs(recorder, inTime, { parent: made, root: made, session: made })
      await hangs(recorder, tooLate, { parent: null, root: null, session: tooLate })
    },
  )

  check('a call without an id is nobody’s', async (recorder) => {
    const [maker, asker] = [interceptionId(), interceptionId()]
    await recorder.record(one(maker, 0, { calls: [''] }).records)
    await recorder.record(one(asker, 1, { answers: '' }).records)
    await hangs(recorder, asker, { parent: null, root: null, session: asker })
  })

  check('a start that is corrected lets go of what it held', async (recorder) => {
    const [older, newer, child] = [interceptionId(), interceptionId(), interceptionId()]
    await recorder.record(one(older, 0, { calls: ['a-call'] }).records)
    await recorder.record(one(newer, 1, { calls: ['a-call'] }).records)
    await recorder.record(one(child, 2, { answers: 'a-call' }).records)
    await hangs(recorder, child, { parent: newer, root: newer, session: newer })
    await recorder.record([start(newer, { initiatorId: 'u-9' }, 1)])
    await hangs(recorder, child, { parent: older, root: older, session: older })
  })

  check('in any order, twice and in any pieces, links come out the same', async (recorder) => {
    await fc.assert(
      fc.asyncProperty(deliveries, async ({ facts, pieces }) => {
        for (const piece of pieces) await recorder.record(piece)
        const found = await Promise.all(facts.map(({ id }) => recorder.interception(id)))
        const links = found.map((stored): [string, Links] => {
          const { threadParentId, threadRootId, sessionId } = (stored as StoredInterception).start
          return [stored?.id ?? '', { threadParentId, threadRootId, sessionId }]
        })
        assert.deepEqual(new Map(links), linkAll(facts))
      }),
      { numRuns: runs },
    )
  })
}

interface Plan {
  readonly calls?: readonly string[]
  readonly answers?: string | null
  readonly start?: Partial<InterceptionStart>
}

function one(id: string, ms: number, { calls = [], answers = null, start: more = {} }: Plan) {
  const records = [
    start(id, { correlatingToolCallId: answers, ...more }, ms),
    ...calls.map((toolCallId, at) => ({ ...tool(id, at + 1, 'Bash'), toolCallId })),
    end(id),
  ]
  return { id, records }
}

function family(body: Partial<InterceptionStart> = {}) {
  const [parent, child] = [interceptionId(), interceptionId()]
  return {
    parent: one(parent, 0, { calls: ['a-call'], start: body }),
    child: one(child, 1, { answers: 'a-call', start: body }),
  }
}

async function hangs(
  recorder: Recorder,
  id: string,
  expected: { parent: string | null; root: string | null; session: string },
): Promise<void> {
  const found = (await recorder.interception(id))?.start
  assert.deepEqual(
    { parent: found?.threadParentId, root: found?.threadRootId, session: found?.sessionId },
    expected,
  )
}

const interceptions = fc.array(
  fc.record({
    initiator: fc.constantFrom('one', 'one', 'one', 'other'),
    // Some a day apart, some in the same millisecond.
    ms: fc.constantFrom(0, 1, 2, 3, 4, 5, 24 * hour, 24 * hour + 2),
    calls: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 2 }),
    answers: fc.constantFrom('a', 'b', 'c', null),
    session: fc.constantFrom('s', null, null),
    agent: fc.constantFrom('agent', null, null),
    retryOf: fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.nat(7) },
    ),
    knownParent: fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.nat(7) },
    ),
  }),
  { minLength: 2, maxLength: 8 },
)

/** What happened, and its records in some order, in pieces, some of them twice. */
const deliveries = interceptions.chain((plans) => {
  const ids = plans.map(() => interceptionId())
  const idOf = (at: number | null) => (at === null ? null : (ids[at] ?? null))
  const all = plans.map((plan, at) => {
    const id = ids[at] as string
    const start = {
      // Each run has initiators of its own in the one store.
      initiatorId: `${plan.initiator} ${ids[0]}`,
      clientSessionId: plan.session,
      sessionId: plan.session ?? id,
      agentId: plan.agent,
      retryOf: idOf(plan.retryOf),
      threadParentId: idOf(plan.knownParent),
      threadRootId: idOf(plan.knownParent),
    }
    return { ...one(id, plan.ms, { calls: plan.calls, answers: plan.answers, start }), plan }
  })
  const facts = all.map(({ id, records: [start], plan }) => ({
    id,
    start: start as InterceptionStart,
    toolCallIds: plan.calls,
  }))
  const records = all.flatMap((each): InterceptionRecord[] => each.records)
  return fc
    .tuple(
      fc.shuffledSubarray(records, { minLength: records.length }),
      fc.subarray(records),
      fc.integer({ min: 1, max: 5 }),
    )
    .map(([shuffled, again, size]) => {
      const sent = [...shuffled, ...again]
      const count = Math.ceil(sent.length / size)
      const pieces = Array.from({ length: count }, (_, at) =>
        sent.slice(at * size, (at + 1) * size),
      )
      return { facts, pieces }
    })
})
