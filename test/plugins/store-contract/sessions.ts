import assert from 'node:assert/strict'
import { reapedEnd } from '../../../src/core/reaped-end.ts'
import type { Session } from '../../../src/core/session.ts'
import type { SessionQuery, Store } from '../../../src/core/store.ts'
import { at, idAt, type Plan, start, told } from '../../support/stored-records.ts'
import { assertCount, badCursor, type Check } from './check.ts'

const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }
const hour = 60 * 60 * 1000

function of(session: string, who: object = anna): Plan['start'] & object {
  return { ...who, clientSessionId: session, sessionId: session }
}

/** What a session is, which ones a list has, and that they follow what is stored. */
export function sessionContract(check: Check): void {
  check('a session is the sum of its ended interceptions', async (store) => {
    const root = idAt(0)
    await store.record([
      ...told({
        id: root,
        start: { ...of('s'), metadata: { first: true }, model: 'm-2', initiatorName: 'Anna A.' },
        prompt: 'Begin',
        tools: ['Bash', 'Read'],
        usages: [
          { inputTokens: 1, costNanoUsd: null },
          { inputTokens: 2, metadata: { a: 1 } },
        ],
      }),
      ...told({
        ms: 10,
        start: { ...of('s'), threadRootId: root, threadParentId: root, model: 'm-1' },
        prompt: 'A task of an agent',
        tools: ['Bash'],
        usages: [{ metadata: { a: 2, deep: { er: 3, text: 'no' } }, outputTokens: 7 }],
      }),
      ...told({ ms: 20, start: { ...of('s'), purpose: 'title' }, prompt: 'Name this' }),
      ...told({
        ms: 30,
        start: { ...of('s'), provider: 'openai', providerName: 'eu', client: 'Zed' },
        prompt: 'Go on',
        end: { endedAt: at(5000), outcome: 'failed' },
      }),
      ...told({ ms: 40, start: of('s'), prompt: 'Still at it', tools: ['Bash'], end: null }),
    ])
    const { count, sessions } = await store.sessions()
    assert.equal(count, 1)
    assert.deepEqual(structuredClone(sessions), [
      {
        id: 's',
        initiatorId: 'u-1',
        initiatorUsername: 'anna',
        initiatorName: 'Anna A.',
        providers: ['anthropic', 'openai'],
        providerNames: ['anthropic', 'eu'],
        models: ['claude-sonnet-4-5', 'm-1', 'm-2'],
        client: 'Claude Code',
        metadata: { first: true },
        startedAt: at(0),
        endedAt: at(5000),
        // The newest prompt's time: neither the title's nor the running one's.
        lastActiveAt: at(31),
        lastPrompt: 'Go on',
        threads: 2,
        measures: {
          interceptions: 4,
          prompts: 2,
          toolCalls: 3,
          inputTokens: 103,
          outputTokens: 27,
          cacheReadInputTokens: 3000,
          cacheWriteInputTokens: 0,
          costNanoUsd: 2_100_000,
          unpriced: 1,
        },
        tokenMetadata: { reasoning_output_tokens: 3, a: 3, 'deep.er': 3 },
      },
    ])
  })

  check('without a prompt of a person it was last active when it began', async (store) => {
    await store.record(told({ ms: 5, start: { ...of('s'), purpose: 'probe' }, prompt: 'quota' }))
    await store.record(told({ ms: 9, start: of('s') }))
    const [session] = (await store.sessions()).sessions
    assert.deepEqual(
      [session?.lastActiveAt, session?.lastPrompt, session?.threads],
      [at(5), null, 1],
    )
  })

  check('what runs is in no session', async (store) => {
    const running = told({ start: of('s'), prompt: 'Wait', end: null })
    await store.record(running)
    assert.deepEqual(plainPage(await store.sessions()), { count: 0, ids: [] })
    assert.equal(await store.session({ id: 's' }), null)
  })

  check('two initiators with one session id have a session each', async (store) => {
    await store.record([
      ...told({ ms: 0, start: of('s'), prompt: 'mine' }),
      ...told({ ms: 10, start: of('s', ben), prompt: 'his' }),
      ...told({ ms: 20, start: of('s'), prompt: 'mine too' }),
    ])
    const { sessions } = await store.sessions()
    assert.deepEqual(
      sessions.map(({ initiatorId, lastPrompt, measures }) => [
        initiatorId,
        lastPrompt,
        measures.prompts,
      ]),
      [
        ['u-1', 'mine too', 2],
        ['u-2', 'his', 1],
      ],
    )
    await lists(store, { visibleTo: 'u-2' }, ['s u-2'])
    await lists(store, { initiator: 'anna', sessionId: 's' }, ['s u-1'])
  })

  check('each filter alone, and filters together', async (store) => {
    await store.record([
      ...told({ ms: 0, start: { ...of('a'), client: 'Zed', model: 'm-1' } }),
      ...told({ ms: 500, start: { ...of('a'), provider: 'openai', model: 'm-2' }, prompt: 'x' }),
      ...told({ ms: 1000, start: { ...of('b', ben), providerName: 'eu' } }),
      ...told({ ms: 2000, start: { ...of('c', { ...ben, initiatorId: 'u-3' }), client: 'Zed' } }),
      ...told({ ms: hour, start: { ...of('d'), initiatorUsername: 'u-2' } }),
    ])
    const [a, b, c, d] = ['a u-1', 'b u-2', 'c u-3', 'd u-1'] as const
    for (const [query, expected] of [
      [{}, [d, c, b, a]],
      [{ initiator: 'u-1' }, [d, a]],
      [{ initiator: 'anna' }, [a]],
      [{ initiator: 'ben' }, [c, b]],
      [{ initiator: 'u-2' }, [d, b]],
      [{ visibleTo: 'u-2' }, [b]],
      [{ visibleTo: 'ben' }, []],
      [{ visibleTo: 'u-2', initiator: 'anna' }, []],
      [{ sessionId: 'a' }, [a]],
      [{ sessionId: 'A' }, []],
      // All that took part, but the client that began.
      [{ provider: 'openai' }, [a]],
      [{ provider: 'anthropic' }, [d, c, b, a]],
      [{ providerName: 'eu' }, [b]],
      [{ model: 'm-1' }, [a]],
      [{ model: 'm-2' }, [a]],
      [{ model: 'm' }, []],
      [{ client: 'Zed' }, [c, a]],
      [{ client: 'Zed', initiator: 'u-3' }, [c]],
      [{ client: 'Zed', model: 'm-2', provider: 'openai' }, [a]],
      // The window and the session's own time have a moment in common.
      [{ startedAfter: at(501) }, [d, c, b, a]],
      [{ startedAfter: at(502) }, [d, c, b]],
      [{ startedAfter: at(2000) }, [d, c]],
      [{ startedBefore: at(1000) }, [b, a]],
      [{ startedBefore: at(999) }, [a]],
      [{ startedAfter: at(100), startedBefore: at(400) }, [a]],
      [{ startedAfter: at(1001), startedBefore: at(1999) }, []],
      [{ startedAfter: '2026-01-15T12:30:00+01:00' }, [d]],
      [{ sort: 'oldest' }, [a, b, c, d]],
      [{ sort: 'started' }, [d, c, b, a]],
      [{ limit: 2 }, [d, c]],
      [{ limit: 2, offset: 1 }, [c, b]],
      [{ offset: 4 }, []],
    ] as const)
      await lists(store, query, expected)
  })

  check('orders by last activity or start, then by id and initiator', async (store) => {
    await store.record([
      ...told({ ms: 0, start: of('a'), prompt: 'early' }),
      ...told({ ms: 100, start: of('b') }),
      ...told({ ms: 100, start: of('b', ben) }),
      ...told({ ms: 100, start: of('c') }),
      ...told({ ms: 200, start: of('a'), prompt: 'late' }),
    ])
    await lists(store, {}, ['a u-1', 'c u-1', 'b u-2', 'b u-1'])
    await lists(store, { sort: 'started' }, ['c u-1', 'b u-2', 'b u-1', 'a u-1'])
    await lists(store, { sort: 'oldest' }, ['a u-1', 'b u-1', 'b u-2', 'c u-1'])
  })

  check('pages by cursor give each once, in every order', async (store) => {
    for (const [ms, name] of ['a', 'b', 'c', 'd', 'e'].entries())
      for (const who of [anna, ben])
        await store.record(told({ ms: Math.trunc(ms / 2), start: of(name, who) }))
    for (const sort of ['active', 'started', 'oldest'] as const) {
      const all = (await store.sessions({ sort })).sessions.map(nameOf)
      const seen: Session[] = []
      for (;;) {
        const last = seen.at(-1)
        const cursor = last && { after: last.id, afterInitiatorId: last.initiatorId }
        const page = await store.sessions({ sort, limit: 3, ...cursor })
        assertCount(page, 10)
        if (page.sessions.length === 0) break
        seen.push(...page.sessions)
      }
      assert.equal(all.length, 10)
      assert.deepEqual(seen.map(nameOf), all)
    }
  })

  check('new sessions shift no page by cursor', async (store) => {
    for (const [ms, name] of ['a', 'b', 'c'].entries())
      await store.record(told({ ms, start: of(name) }))
    await lists(store, { limit: 1 }, ['c u-1'])
    await store.record(told({ ms: 9, start: of('d') }))
    await lists(store, { limit: 1, after: 'c' }, ['b u-1'])
    await lists(store, { after: 'c', offset: 1 }, ['a u-1'])
    await lists(store, { after: 'b', client: 'Zed' }, [])
  })

  check('a cursor that is unknown, another one’s or ambiguous is refused', async (store) => {
    await store.record([
      ...told({ ms: 0, start: of('a') }),
      ...told({ ms: 1, start: of('b', ben) }),
      ...told({ ms: 2, start: of('both') }),
      ...told({ ms: 3, start: of('both', ben) }),
      ...told({ ms: 4, start: of('running'), end: null }),
    ])
    for (const query of [
      { after: 'x' },
      { after: '' },
      { after: 'running' },
      { after: 'a', visibleTo: 'u-2' },
      { after: 'a', afterInitiatorId: 'u-2' },
      { after: 'both' },
    ])
      await assert.rejects(store.sessions(query), badCursor, JSON.stringify(query))
    await lists(store, { after: 'both', afterInitiatorId: 'u-2' }, ['both u-1', 'b u-2', 'a u-1'])
    await lists(store, { after: 'both', visibleTo: 'u-1' }, ['a u-1'])
  })

  check('links that change move an interception from session to session', async (store) => {
    const [parent, child] = [idAt(0), idAt(1)]
    const answers = { correlatingToolCallId: `${parent}-1` }
    await store.record(told({ id: child, ms: 1, start: { ...answers, sessionId: child } }))
    await lists(store, {}, [`${child} u-0`])
    await store.record(told({ id: parent, tools: ['Bash'], start: { sessionId: parent } }))
    await lists(store, {}, [`${parent} u-0`])
    const [session] = (await store.sessions()).sessions
    assert.equal(session?.measures.interceptions, 2)
    // The call turns out to be another one's: both have sessions of their own again.
    await store.record([start(parent, { initiatorId: 'u-9', sessionId: parent })])
    await lists(store, {}, [`${child} u-0`, `${parent} u-9`])
  })

  check('sums follow what is replaced, comes late, or comes twice', async (store) => {
    const id = idAt(0)
    const records = told({
      id,
      start: of('s'),
      prompt: 'hi',
      tools: ['Bash'],
      usages: [{ outputTokens: 1, costNanoUsd: null }],
    })
    const [begun, asked, call, used, ended] = records as Required<typeof records>
    const measures = async () => {
      const { sessions } = await store.sessions()
      assert.equal(sessions.length, 1)
      const { prompts, toolCalls, outputTokens, unpriced } = (sessions[0] as Session).measures
      return [prompts, toolCalls, outputTokens, unpriced]
    }
    if (!asked || !call || !used || !ended) throw new Error('a plan of five records')
    await store.record([begun, used])
    const reaped = reapedEnd({ id, startedAt: at(0), lastSeenAt: at(1), lastSeq: 9 })
    await store.record([reaped])
    assert.deepEqual(await measures(), [0, 0, 1, 1])
    await store.record([{ ...used, outputTokens: 50, costNanoUsd: 5 } as typeof used])
    assert.deepEqual(await measures(), [0, 0, 50, 0])
    await store.record([
      { ...asked, late: true },
      { ...call, late: true },
    ])
    assert.deepEqual(await measures(), [1, 1, 50, 0])
    await store.record([ended])
    await store.record([reaped])
    await store.record([begun, asked, call, ended])
    assert.deepEqual(await measures(), [1, 1, 50, 0])
    const [session] = (await store.sessions()).sessions
    assert.deepEqual(
      [session?.endedAt, session?.measures.interceptions, session?.lastPrompt],
      [at(1000), 1, 'hi'],
    )
  })

  check('names of tools and metadata may be any', async (store) => {
    const odd = ['constructor', '__proto__', 'a.b', '$set', 'toString', '']
    const metadata = JSON.parse('{"__proto__": 1, "constructor": 2, "a.b": 3, "$inc": 4}')
    await store.record(told({ start: of('s'), tools: odd, usages: [{ metadata }, { metadata }] }))
    const [session] = (await store.sessions()).sessions
    assert.equal(session?.measures.toolCalls, odd.length)
    assert.deepEqual(Object.entries(session?.tokenMetadata ?? {}).sort(), [
      ['$inc', 8],
      ['__proto__', 2],
      ['a.b', 6],
      ['constructor', 4],
    ])
  })
}

function nameOf({ id, initiatorId }: Session): string {
  return `${id} ${initiatorId}`
}

function plainPage({ count, sessions }: Awaited<ReturnType<Store['sessions']>>) {
  return { count, ids: sessions.map(nameOf) }
}

async function lists(store: Store, query: SessionQuery, expected: readonly string[]) {
  const page = await store.sessions(query)
  assert.deepEqual(page.sessions.map(nameOf), expected, JSON.stringify(query))
  const isPart = query.limit !== undefined || query.after !== undefined || query.offset
  if (!isPart) assertCount(page, expected.length, query)
}
