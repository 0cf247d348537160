import assert from 'node:assert/strict'
import type { SessionAnswer, SessionDetailQuery, Store } from '../../../src/core/store.ts'
import { at, idAt, type Plan, stamp, told, tool } from '../../support/stored-records.ts'
import { badCursor, type Check } from './check.ts'

const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }

function of(session: string, more: Plan['start'] = {}): Plan['start'] & object {
  return { ...anna, clientSessionId: session, sessionId: session, ...more }
}

function below(root: string, parent = root): Plan['start'] & object {
  return of('s', { threadRootId: root, threadParentId: parent })
}

/** A session's threads, page by page. */
export function threadContract(check: Check): void {
  check('a thread is a root with all below it, as its root says what it was', async (store) => {
    const [root, round, agent] = [idAt(0), idAt(10), idAt(20)]
    const rootRecords = told({
      id: root,
      start: of('s', { credentialKind: 'centralized', credentialHint: 'sk-…x', model: 'm-1' }),
      prompt: 'Tidy up',
      thoughts: ['Where to begin?', 'With a list.'],
      tools: ['Task', 'Bash'],
      usages: [{ inputTokens: 5, metadata: { a: 1 } }],
      end: { outcome: 'failed', errorType: 'overloaded', errorMessage: 'try again' },
    })
    await store.record([
      ...told({
        id: round,
        ms: 10,
        start: below(root),
        thoughts: ['Nobody sees this.'],
        usages: [{ inputTokens: 6, metadata: { a: 2 } }],
        end: { endedAt: at(9000) },
      }),
      ...told({
        id: agent,
        ms: 20,
        start: { ...below(root, round), agentId: 'agent-1', purpose: 'subagent', model: 'm-2' },
        prompt: 'A task',
        tools: ['Read'],
        usages: [{ inputTokens: 7, metadata: { a: 3 } }],
      }),
      ...told({ ms: 30, start: below(root), tools: ['Bash'], end: null }),
      ...rootRecords,
    ])
    const answer = await store.session({ id: 's' })
    assert.equal(answer?.type, 'session')
    const [thread, ...more] = answer.threads
    assert.deepEqual([more.length, answer.session.threads], [0, 1])
    const { actions, measures, ...rest } = structuredClone(thread) as NonNullable<typeof thread>
    assert.deepEqual(rest, {
      id: root,
      prompt: 'Tidy up',
      purpose: null,
      model: 'm-1',
      provider: 'anthropic',
      providerName: 'anthropic',
      credentialKind: 'centralized',
      credentialHint: 'sk-…x',
      outcome: 'failed',
      errorType: 'overloaded',
      errorMessage: 'try again',
      startedAt: at(0),
      endedAt: at(9000),
      tokenMetadata: { a: 6 },
    })
    assert.deepEqual(
      [measures.interceptions, measures.prompts, measures.toolCalls, measures.inputTokens],
      [3, 1, 3, 18],
    )
    // One for each that called tools, its thoughts with it; the round without tools has none, nor what runs.
    assert.deepEqual(
      actions.map(({ interceptionId, model, thinking, toolCalls, measures, tokenMetadata }) => ({
        of: interceptionId,
        model,
        thinking,
        tools: toolCalls.map(({ tool }) => tool),
        input: measures.inputTokens,
        tokenMetadata,
      })),
      [
        {
          of: root,
          model: 'm-1',
          thinking: ['Where to begin?', 'With a list.'],
          tools: ['Task', 'Bash'],
          input: 5,
          tokenMetadata: { a: 1 },
        },
        {
          of: agent,
          model: 'm-2',
          thinking: [],
          tools: ['Read'],
          input: 7,
          tokenMetadata: { a: 3 },
        },
      ],
    )
    assert.deepEqual(
      actions[0]?.toolCalls,
      rootRecords.filter(({ type }) => type === 'tool_usage'),
    )
  })

  check('a thread’s prompt is the first that its root has', async (store) => {
    const [id, silent] = [idAt(0), idAt(1)]
    const [begun, asked, ended] = told({ id, start: of('s'), prompt: 'First' })
    if (!asked || !ended) throw new Error('a plan of three records')
    const more = { ...asked, ...stamp(id, 'another', 'prompt', 2), prompt: 'Second' }
    await store.record([begun, more as typeof asked, asked, ended])
    await store.record(told({ id: silent, ms: 1, start: of('s') }))
    const answer = await store.session({ id: 's' })
    assert.equal(answer?.type, 'session')
    assert.deepEqual(
      answer.threads.map(({ prompt, measures }) => [prompt, measures.prompts]),
      [
        ['First', 2],
        [null, 0],
      ],
    )
  })

  check('a thread shows once its root has ended, whatever below it has', async (store) => {
    const root = idAt(0)
    const records = told({ id: root, start: of('s') })
    await store.record(told({ ms: 10, start: below(root), usages: [{}] }))
    await store.record(records.slice(0, -1))
    const before = await store.session({ id: 's' })
    assert.deepEqual(threadsOf(before), [])
    assert.equal(before?.type === 'session' && before.session.measures.interceptions, 1)
    await store.record(records)
    assert.deepEqual(threadsOf(await store.session({ id: 's' })), [root])
  })

  check('pages forwards and backwards, by start and id, each thread once', async (store) => {
    const all = [0, 1, 1, 1, 2, 3].map((ms) => told({ ms, start: of('s'), tools: ['Bash'] }))
    await store.record(all.toReversed().flat())
    const ids = all.map(([{ interceptionId }]) => interceptionId)
    const [first, , third, fourth, , last] = ids as [string, string, string, string, string, string]
    for (const [query, expected] of [
      [{}, ids],
      [{ limit: 2 }, ids.slice(0, 2)],
      [{ after: third }, ids.slice(3)],
      [{ after: third, limit: 2 }, ids.slice(3, 5)],
      [{ after: last }, []],
      [{ before: fourth }, ids.slice(0, 3)],
      // The nearest ones, still in order.
      [{ before: fourth, limit: 2 }, ids.slice(1, 3)],
      [{ before: last, limit: 1 }, ids.slice(4, 5)],
      [{ before: first }, []],
    ] as const)
      assert.deepEqual(
        threadsOf(await store.session({ id: 's', ...query })),
        expected,
        JSON.stringify(query),
      )
    const seen: string[] = []
    for (;;) {
      const after = seen.at(-1)
      const page = threadsOf(await store.session({ id: 's', limit: 4, ...(after && { after }) }))
      if (page.length === 0) break
      seen.push(...page)
      // What comes meanwhile before the cursor is not seen, and shifts nothing.
      await store.record(told({ ms: 0, start: of('s') }))
    }
    assert.deepEqual(seen, ids)
  })

  check('gives 50 threads where no limit is named', async (store) => {
    const all = Array.from({ length: 53 }, (_, ms) => told({ ms, start: of('s') }))
    await store.record(all.flat())
    assert.equal(threadsOf(await store.session({ id: 's' })).length, 50)
    assert.equal(threadsOf(await store.session({ id: 's', limit: 200 })).length, 53)
  })

  check('threads that nobody asked for are given on request', async (store) => {
    const [asked, title, probe] = [idAt(0), idAt(1), idAt(2)]
    await store.record([
      ...told({ id: asked, start: of('s') }),
      ...told({ id: title, ms: 1, start: of('s', { purpose: 'title' }) }),
      ...told({ id: probe, ms: 2, start: of('s', { purpose: 'probe' }) }),
    ])
    const answer = await store.session({ id: 's' })
    assert.deepEqual(threadsOf(answer), [asked])
    assert.equal(answer?.type === 'session' && answer.session.threads, 1)
    assert.deepEqual(threadsOf(await store.session({ id: 's', aside: true })), [
      asked,
      title,
      probe,
    ])
    const page = { id: 's', aside: true, limit: 1 }
    assert.deepEqual(threadsOf(await store.session({ ...page, after: asked })), [title])
    assert.deepEqual(threadsOf(await store.session({ ...page, before: probe })), [title])
  })

  check('a cursor that is no thread of the session is refused', async (store) => {
    const [root, other, hers, running] = [idAt(0), idAt(1), idAt(2), idAt(3)]
    const child = idAt(10)
    await store.record([
      ...told({ id: root, start: of('s') }),
      ...told({ id: child, ms: 10, start: below(root) }),
      ...told({ id: other, start: of('another'), ms: 1 }),
      ...told({ id: hers, start: of('s', ben), ms: 2 }),
      ...told({ id: running, start: of('s'), ms: 3, end: null }),
    ])
    for (const cursor of [idAt(0), 'nonsense', other, hers, child, running])
      for (const query of [{ after: cursor }, { before: cursor }])
        await assert.rejects(
          store.session({ id: 's', initiator: 'anna', ...query }),
          badCursor,
          JSON.stringify(query),
        )
    assert.deepEqual(
      threadsOf(await store.session({ id: 's', initiator: 'anna', after: root })),
      [],
    )
  })

  check('an id that several initiators use is ambiguous until one is named', async (store) => {
    const [annas, bens] = [idAt(0), idAt(1)]
    await store.record([
      ...told({ id: bens, start: of('s', ben), ms: 1, prompt: 'his' }),
      ...told({ id: annas, start: of('s'), prompt: 'hers' }),
    ])
    assert.deepEqual(structuredClone(await store.session({ id: 's' })), {
      type: 'ambiguous',
      initiators: [
        { id: 'u-1', username: 'anna' },
        { id: 'u-2', username: 'ben' },
      ],
    })
    for (const [query, expected] of [
      [{ initiator: 'anna' }, [annas, 'hers']],
      [{ initiator: 'u-2' }, [bens, 'his']],
      [{ visibleTo: 'u-1' }, [annas, 'hers']],
      [{ visibleTo: 'u-2', initiator: 'ben' }, [bens, 'his']],
    ] as const)
      assert.deepEqual(await seen(store, { id: 's', ...query }), expected, JSON.stringify(query))
    for (const query of [
      { visibleTo: 'u-1', initiator: 'ben' },
      { visibleTo: 'anna' },
      { visibleTo: 'u-3' },
      { initiator: 'nobody' },
    ])
      assert.equal(await store.session({ id: 's', ...query }), null, JSON.stringify(query))
    assert.equal(await store.session({ id: 'S' }), null)
  })

  check('a stranger’s tool call id hangs nobody under a stranger', async (store) => {
    const [hers, his] = [idAt(0), idAt(10)]
    const call = { ...tool(hers, 1, 'Bash'), toolCallId: 'call_1' }
    await store.record([...told({ id: hers, start: { ...anna, sessionId: hers } }), call])
    const answers = { ...ben, sessionId: his, correlatingToolCallId: 'call_1' }
    await store.record(told({ id: his, ms: 10, start: answers, prompt: 'not hers' }))
    assert.deepEqual(threadsOf(await store.session({ id: hers })), [hers])
    assert.deepEqual(await seen(store, { id: his }), [his, 'not hers'])
    assert.equal(await store.session({ id: hers, visibleTo: 'u-2' }), null)
  })

  check('nor does a root that a process named, though it is a stranger’s', async (store) => {
    const hers = idAt(0)
    await store.record(told({ id: hers, start: of('s'), tools: ['Bash'] }))
    const claim = { ...ben, threadRootId: hers, threadParentId: hers, sessionId: 's' }
    await store.record(told({ ms: 10, start: claim, tools: ['Spy'], usages: [{}] }))
    const answer = await store.session({ id: 's', initiator: 'anna' })
    assert.equal(answer?.type, 'session')
    const [thread] = answer.threads
    assert.deepEqual([thread?.measures.interceptions, thread?.actions.length], [1, 1])
    assert.equal(answer.session.measures.interceptions, 1)
    const his = await store.session({ id: 's', visibleTo: 'u-2' })
    assert.deepEqual(threadsOf(his), [])
    assert.equal(his?.type === 'session' && his.session.measures.interceptions, 1)
  })

  check('a thread keeps what below it has a session id of its own', async (store) => {
    const root = idAt(0)
    await store.record(told({ id: root, start: of('s'), usages: [{ inputTokens: 1 }] }))
    const apart = { ...below(root), clientSessionId: 'agent', sessionId: 'agent' }
    await store.record(told({ ms: 10, start: apart, usages: [{ inputTokens: 2 }] }))
    const answer = await store.session({ id: 's' })
    assert.equal(answer?.type, 'session')
    assert.equal(answer.threads[0]?.measures.inputTokens, 3)
    assert.equal(answer.session.measures.inputTokens, 1)
    assert.deepEqual(threadsOf(await store.session({ id: 'agent' })), [])
  })
}

function threadsOf(answer: SessionAnswer | null): string[] {
  assert.equal(answer?.type, 'session')
  return answer.threads.map(({ id }) => id)
}

async function seen(store: Store, query: SessionDetailQuery) {
  const answer = await store.session(query)
  assert.equal(answer?.type, 'session')
  const [thread, ...more] = answer.threads
  assert.equal(more.length, 0)
  assert.equal(answer.session.lastPrompt, thread?.prompt)
  return [thread?.id, thread?.prompt]
}
