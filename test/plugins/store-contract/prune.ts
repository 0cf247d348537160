import assert from 'node:assert/strict'
import type { Store } from '../../../src/core/store.ts'
import {
  at,
  end,
  idAt,
  type Plan,
  prompt,
  start,
  told,
  tool,
} from '../../support/stored-records.ts'
import { assertCount, type Check, finds, idsOf } from './check.ts'

const wordy: Plan = {
  prompt: 'a secret plan',
  thoughts: ['a secret thought'],
  tools: [{ tool: 'Bash', input: '{"command":"secret"}' }],
  usages: [{ outputTokens: 3 }],
}

/** What retention forgets, and that it stays forgotten. */
export function pruneContract(check: Check): void {
  check('forgets what began before the limit, with all that was made of it', async (store) => {
    const [old, edge, young] = [idAt(0), idAt(1000), idAt(2000)]
    const session = { clientSessionId: 's', sessionId: 's' }
    await store.record([
      ...told({ ...wordy, id: old, ms: 0, start: { ...session, model: 'old' } }),
      ...told({ ...wordy, id: edge, ms: 1000, start: session, prompt: 'the second', thoughts: [] }),
      ...told({ ms: 0, start: { sessionId: 'gone', clientSessionId: 'gone', model: 'old' } }),
      ...told({ id: young, ms: 2000, start: { initiatorId: 'u-2', initiatorUsername: 'ben' } }),
    ])
    assert.deepEqual(await store.prune({ before: at(1000) }), {
      interceptions: 2,
      contents: 0,
      done: true,
    })
    await finds(store, {}, [young, edge])
    assert.equal(await store.interception(old), null)
    await finds(store, { search: 'thought' }, [])
    await finds(store, { search: 'second' }, [edge])
    await finds(store, { model: 'old' }, [])
    assert.deepEqual(await store.values({ of: 'model' }), ['claude-sonnet-4-5'])
    const page = await store.sessions({ visibleTo: 'u-0' })
    assertCount(page, 1)
    const [kept] = page.sessions
    assert.deepEqual(
      [kept?.id, kept?.startedAt, kept?.measures.interceptions, kept?.measures.outputTokens],
      ['s', at(1000), 1, 3],
    )
    assert.equal(await store.session({ id: 'gone' }), null)
    const rows = await store.stats({ groupBy: 'user' })
    assert.deepEqual(
      rows.map(({ initiatorId, interceptions, toolCalls }) => [
        initiatorId,
        interceptions,
        toolCalls,
      ]),
      [
        ['u-2', 1, 0],
        ['u-0', 1, 1],
      ],
    )
    assert.deepEqual(await store.prune({ before: at(1000) }), {
      interceptions: 0,
      contents: 0,
      done: true,
    })
  })

  check('leaves what runs alone, until it has ended', async (store) => {
    const id = idAt(0)
    await store.record(told({ ...wordy, id, end: null }))
    await store.prune({ before: at(5000), contentBefore: at(5000) })
    await finds(store, { running: true }, [id])
    assert.equal((await store.interception(id))?.userPrompts[0]?.prompt, 'a secret plan')
    await store.record([end(id)])
    await finds(store, {}, [id])
    assert.equal((await store.prune({ before: at(5000) })).interceptions, 1)
    await finds(store, { running: true }, [])
  })

  check('forgets records whose start never came', async (store) => {
    const [old, young] = [idAt(0), idAt(9000)]
    await store.record([prompt(old, 'lost'), end(old), prompt(young, 'early')])
    assert.equal((await store.verify()).orphans, 2)
    await store.prune({ before: at(5000) })
    const { orphans, records } = await store.verify()
    assert.deepEqual([orphans, records], [1, 1])
    await store.record([start(young, {}, 9000), end(young)])
    await finds(store, { search: 'early' }, [young])
  })

  check('refuses what comes late and is older, also after it was opened again', async (store) => {
    await store.record(told({ ms: 0 }))
    await store.prune({ before: at(5000) })
    for (const again of [false, true]) {
      if (again) await reopened(store)
      const [old, edge] = [idAt(4999), idAt(5000)]
      const records = told({ ...wordy, id: old, ms: 4999 })
      await store.record(records)
      for (const record of told({ ...wordy, id: idAt(0) }).toReversed())
        await store.record([record])
      await store.record(told({ id: edge, ms: 5000, tools: ['Bash'] }))
      await finds(store, { running: true, limit: 1 }, [edge])
      assert.equal(await store.interception(old), null)
      const { records: held, orphans } = await store.verify()
      assert.deepEqual([held, orphans], [again ? 6 : 3, 0])
    }
  })

  check('goes by when it began, also where its id is younger', async (store) => {
    const id = idAt(9000)
    await store.prune({ before: at(5000) })
    await store.record(told({ id, ms: 10 }))
    assert.equal(await store.interception(id), null)
  })

  check('takes the rest of what is stored though its start is older', async (store) => {
    const id = idAt(0)
    await store.record([start(id)])
    await store.prune({ before: at(5000) })
    await store.record([tool(id, 1, 'Bash'), start(id, { model: 'corrected' }), end(id)])
    await finds(store, { tool: 'Bash' }, [id])
    assert.equal((await store.interception(id))?.start.model, 'corrected')
  })

  check('a limit never moves back', async (store) => {
    await store.prune({ before: at(5000), contentBefore: at(9000) })
    await store.prune({ before: at(1000), contentBefore: at(1000) })
    await store.record(told({ ms: 2000 }))
    await finds(store, { running: true }, [])
    const id = idAt(8000)
    await store.record(told({ ...wordy, id, ms: 8000 }))
    assert.equal((await store.interception(id))?.userPrompts[0]?.prompt, '')
  })

  check('forgets the content of what stays: names, counts and usage remain', async (store) => {
    const [old, young] = [idAt(0), idAt(5000)]
    const session = { clientSessionId: 's', sessionId: 's' }
    await store.record(told({ ...wordy, id: old, start: session }))
    await store.record(told({ ...wordy, id: young, ms: 5000 }))
    const before = await store.stats({ groupBy: 'tool' })
    assert.deepEqual(await store.prune({ contentBefore: at(5000) }), {
      interceptions: 0,
      contents: 1,
      done: true,
    })
    const stored = await store.interception(old)
    assert.deepEqual(
      [
        stored?.userPrompts.map(({ prompt, rawPrompt, truncated }) => [
          prompt,
          rawPrompt,
          truncated,
        ]),
        stored?.toolUsages.map(({ tool, input, truncated }) => [tool, input, truncated]),
        stored?.modelThoughts.map(({ content, truncated }) => [content, truncated]),
        stored?.tokenUsages.map(({ outputTokens }) => outputTokens),
      ],
      [[['', '', ['prompt', 'rawPrompt']]], [['Bash', '', ['input']]], [['', ['content']]], [3]],
    )
    await finds(store, { search: 'secret' }, [young])
    await finds(store, { tool: 'Bash' }, [young, old])
    assert.deepEqual(await store.stats({ groupBy: 'tool' }), before)
    const answer = await store.session({ id: 's' })
    assert.equal(answer?.type, 'session')
    assert.deepEqual(
      [answer.session.lastPrompt, answer.session.measures.prompts, answer.threads[0]?.prompt],
      ['', 1, ''],
    )
    assert.deepEqual(answer.session.lastActiveAt, at(1))
    assert.equal((await store.prune({ contentBefore: at(5000) })).contents, 0)
  })

  check(
    'content that comes late and is older is not kept, also when opened again',
    async (store) => {
      await store.prune({ contentBefore: at(5000) })
      for (const again of [false, true]) {
        if (again) await reopened(store)
        const [old, parts, young] = [idAt(4999), idAt(4000), idAt(5000)]
        await store.record(told({ ...wordy, id: old, ms: 4999 }))
        for (const record of told({ ...wordy, id: parts, ms: 4000 }).toReversed())
          await store.record([record])
        await store.record(told({ ...wordy, id: young, ms: 5000, prompt: 'kept' }))
        for (const id of [old, parts]) {
          const stored = await store.interception(id)
          assert.equal(stored?.userPrompts[0]?.prompt, '')
          assert.equal(stored?.modelThoughts[0]?.content, '')
          assert.deepEqual(
            stored?.toolUsages.map(({ tool, input }) => [tool, input]),
            [['Bash', '']],
          )
        }
        const found = await store.interceptions({ search: 'kept' })
        assert.ok(idsOf(found).includes(young))
        await finds(store, { search: 'thought', startedBefore: at(4999) }, [])
      }
    },
  )

  check('both limits at once: each has its own', async (store) => {
    const ids = [0, 1000, 2000].map(idAt) as [string, string, string]
    for (const [at, id] of ids.entries()) await store.record(told({ ...wordy, id, ms: at * 1000 }))
    const query = { before: at(1000), contentBefore: at(2000) }
    const report = { interceptions: 1, contents: 1, done: true }
    assert.deepEqual(await store.prune({ ...query, dryRun: true }), report)
    assert.deepEqual(await store.prune(query), report)
    await finds(store, {}, [ids[2], ids[1]])
    await finds(store, { search: 'secret' }, [ids[2]])
  })

  check('a dry run counts and changes nothing, nor what is refused', async (store) => {
    const id = idAt(0)
    await store.record(told({ ...wordy, id }))
    assert.deepEqual(await store.prune({ before: at(5000), dryRun: true }), {
      interceptions: 1,
      contents: 0,
      done: true,
    })
    assert.deepEqual(await store.prune({ contentBefore: at(5000), dryRun: true }), {
      interceptions: 0,
      contents: 1,
      done: true,
    })
    const late = idAt(1)
    await store.record(told({ ...wordy, id: late, ms: 1 }))
    await finds(store, { search: 'secret' }, [late, id])
  })

  check('a budget ends it early; going on comes to the same', async (store) => {
    const ids = Array.from({ length: 40 }, (_, ms) => idAt(ms))
    await store.record(ids.flatMap((id, ms) => told({ ...wordy, id, ms })))
    let [interceptions, contents, rounds] = [0, 0, 0]
    for (let done = false; !done && rounds < 1000; rounds++) {
      const report = await store.prune({ before: at(20), contentBefore: at(30), budget: 1 })
      interceptions += report.interceptions
      contents += report.contents
      done = report.done
    }
    assert.deepEqual([interceptions, contents], [20, 10])
    await finds(store, { sort: 'oldest' }, ids.slice(20))
    await finds(store, { sort: 'oldest', search: 'secret' }, ids.slice(30))
  })

  check('goes on while others write', async (store) => {
    const old = Array.from({ length: 200 }, (_, ms) => told({ ...wordy, ms }))
    await store.record(old.flat())
    const young = Array.from({ length: 50 }, (_, ms) => told({ ...wordy, ms: 1000 + ms }))
    const [report] = await Promise.all([
      store.prune({ before: at(1000) }),
      ...young.map((records) => store.record(records)),
    ])
    assert.deepEqual([report.interceptions, report.done], [200, true])
    await finds(
      store,
      { sort: 'oldest' },
      young.map(([{ interceptionId }]) => interceptionId),
    )
    const [row] = await store.stats({ groupBy: 'none' })
    assert.deepEqual([row?.interceptions, row?.toolCalls, row?.prompts], [50, 50, 50])
  })

  check('what hung below the forgotten stays, in its session and in no thread', async (store) => {
    const [root, child, later] = [idAt(0), idAt(1000), idAt(2000)]
    await store.record([
      ...told({ id: root, tools: ['Bash'] }),
      ...told({
        id: child,
        ms: 1000,
        start: { correlatingToolCallId: `${root}-1` },
        tools: ['Read'],
      }),
    ])
    const links = async (id: string) => {
      const found = (await store.interception(id))?.start
      return [found?.threadParentId, found?.threadRootId, found?.sessionId]
    }
    assert.deepEqual(await links(child), [root, root, root])
    await store.prune({ before: at(1000) })
    assert.deepEqual(await links(child), [root, root, root])
    await store.reindex()
    assert.deepEqual(await links(child), [root, root, root])
    // What comes now finds its place through what is left.
    const answers = { correlatingToolCallId: `${child}-1` }
    await store.record(told({ id: later, ms: 2000, start: answers }))
    assert.deepEqual(await links(later), [child, root, root])
    const answer = await store.session({ id: root })
    assert.equal(answer?.type, 'session')
    assert.deepEqual([answer.threads, answer.session.measures.interceptions], [[], 2])
  })

  check(
    'a retry whose first try comes after its parent was forgotten is of the first try’s thread',
    async (store) => {
      const [parent, first, again] = [idAt(0), idAt(4), idAt(5)]
      const links = { threadParentId: parent, threadRootId: parent, retryOf: first }
      await store.record([...told({ id: parent }), ...told({ id: again, ms: 5, start: links })])
      await store.prune({ before: at(3) })
      await store.record(told({ id: first, ms: 4 }))
      const start = (await store.interception(again))?.start
      assert.deepEqual([start?.threadParentId, start?.threadRootId], [null, first])
    },
  )

  check(
    'what hung below the forgotten stays there, though others are told of again',
    async (store) => {
      const [older, parent, child] = [idAt(0), idAt(4), idAt(5)]
      const inSession = { clientSessionId: 's', sessionId: 's' }
      const runs = told({ id: older, start: inSession, tools: ['Bash'], end: null })
      const subagent = told({ id: child, ms: 5, start: { ...inSession, agentId: 'agent' } })
      const calls = told({ id: parent, ms: 4, start: inSession, tools: ['Bash'] })
      await store.record([...runs, ...calls, ...subagent])
      const links = async () => {
        const start = (await store.interception(child))?.start
        return [start?.threadParentId, start?.threadRootId]
      }
      assert.deepEqual(await links(), [parent, parent])
      await store.prune({ before: at(5) })
      assert.deepEqual(await links(), [parent, parent])
      await store.record([...runs, ...subagent])
      assert.deepEqual(await links(), [parent, parent])
      await store.reindex()
      assert.deepEqual(await links(), [parent, parent])
    },
  )

  check('a call of the forgotten is answered by nobody any more', async (store) => {
    const [root, child] = [idAt(0), idAt(1000)]
    await store.record(told({ id: root, tools: ['Bash'] }))
    await store.prune({ before: at(1000) })
    const answers = { correlatingToolCallId: `${root}-1`, sessionId: child }
    await store.record(told({ id: child, ms: 1000, start: answers }))
    assert.equal((await store.interception(child))?.start.threadParentId, null)
  })
}

async function reopened(store: Store): Promise<void> {
  await store.close()
  await store.open()
}
