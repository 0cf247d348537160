import assert from 'node:assert/strict'
import type { InterceptionQuery } from '../../../src/core/recorder.ts'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import type { Store } from '../../../src/core/store.ts'
import { at, idAt, type Plan, start, told } from '../../support/stored-records.ts'
import { assertCount, badCursor, type Check, finds, idsOf } from './check.ts'

const hour = 60 * 60 * 1000

/** Five that ended and one that runs, each unlike the others in something; `e` is the newest that ended. */
const plans: Readonly<Record<string, Plan>> = {
  a: { ms: 0, start: { initiatorId: 'u-1', initiatorUsername: 'anna' }, tools: ['Bash', 'Read'] },
  b: {
    ms: 1000,
    start: { initiatorId: 'u-2', initiatorUsername: 'ben', model: 'gpt-5', provider: 'openai' },
    end: { outcome: 'failed' },
    tools: ['Bash'],
  },
  c: {
    ms: 2000,
    start: { initiatorId: 'u-1', initiatorUsername: 'anna', providerName: 'eu', client: 'Zed' },
    end: { outcome: 'client_gone' },
  },
  // Whose name is another one's id.
  d: { ms: 3000, start: { initiatorId: 'u-3', initiatorUsername: 'u-1', sessionId: 's-1' } },
  e: {
    ms: hour,
    start: { initiatorId: 'u-2', initiatorUsername: 'ben', client: 'Zed', sessionId: 's-1' },
    tools: ['read'],
  },
  r: {
    ms: 2 * hour,
    start: { initiatorId: 'u-1', initiatorUsername: 'anna', client: 'Zed' },
    end: null,
    tools: ['Read'],
  },
}

/** What each query finds, the newest first. */
const found: readonly (readonly [InterceptionQuery, string])[] = [
  [{}, 'edcba'],
  [{ running: true }, 'redcba'],
  [{ initiator: 'u-1' }, 'dca'],
  [{ initiator: 'anna' }, 'ca'],
  [{ initiator: 'anna', running: true }, 'rca'],
  [{ initiator: 'ANNA' }, ''],
  [{ visibleTo: 'u-1' }, 'ca'],
  [{ visibleTo: 'u-1', running: true }, 'rca'],
  // A username shows nothing: it may be another one's id.
  [{ visibleTo: 'anna' }, ''],
  [{ visibleTo: '' }, ''],
  [{ visibleTo: 'u-1', initiator: 'ben' }, ''],
  [{ visibleTo: 'u-3', initiator: 'u-1' }, 'd'],
  [{ provider: 'openai' }, 'b'],
  [{ provider: 'OpenAI' }, ''],
  [{ providerName: 'eu' }, 'c'],
  [{ providerName: 'anthropic' }, 'edba'],
  [{ model: 'gpt-5' }, 'b'],
  [{ model: 'gpt' }, ''],
  [{ model: 'claude-sonnet-4-5' }, 'edca'],
  [{ client: 'Zed' }, 'ec'],
  [{ client: 'Zed', running: true }, 'rec'],
  [{ client: 'zed' }, ''],
  [{ client: 'Ze' }, ''],
  [{ sessionId: 's-1' }, 'ed'],
  [{ sessionId: 's-1', initiator: 'ben' }, 'e'],
  [{ sessionId: 's-2' }, ''],
  [{ outcome: 'failed' }, 'b'],
  [{ outcome: 'completed' }, 'eda'],
  [{ outcome: 'completed', running: true }, 'eda'],
  [{ tool: 'Bash' }, 'ba'],
  [{ tool: 'Read' }, 'a'],
  [{ tool: 'Read', running: true }, 'ra'],
  [{ tool: 'read' }, 'e'],
  [{ tool: 'Rea' }, ''],
  [{ tool: 'Bash', outcome: 'failed', provider: 'openai', initiator: 'ben' }, 'b'],
  [{ tool: 'Bash', outcome: 'failed', provider: 'openai', initiator: 'anna' }, ''],
  [{ startedAfter: at(2000) }, 'edc'],
  [{ startedAfter: at(2001) }, 'ed'],
  [{ startedBefore: at(2000) }, 'cba'],
  [{ startedBefore: at(1999) }, 'ba'],
  [{ startedAfter: at(1000), startedBefore: at(1000) }, 'b'],
  [{ startedAfter: at(1001), startedBefore: at(1999) }, ''],
  // Times as others write them: 11:30 an hour east, and without a fraction.
  [{ startedAfter: '2026-01-15T12:30:00+01:00' }, 'e'],
  [{ startedBefore: '2026-01-15T10:30:01Z' }, 'ba'],
  [{ startedAfter: at(0), client: 'Zed', visibleTo: 'u-2' }, 'e'],
  [{ sort: 'oldest' }, 'abcde'],
  [{ sort: 'oldest', initiator: 'anna', running: true }, 'acr'],
  [{ sort: 'oldest', limit: 2 }, 'ab'],
  [{ sort: 'oldest', limit: 2, offset: 2 }, 'cd'],
  [{ limit: 2 }, 'ed'],
  [{ limit: 2, offset: 4 }, 'a'],
  [{ offset: 5 }, ''],
]

async function filled(store: Store): Promise<(letters: string) => string[]> {
  const ids = new Map(Object.entries(plans).map(([letter, { ms = 0 }]) => [letter, idAt(ms)]))
  for (const [letter, plan] of Object.entries(plans))
    await store.record(told({ ...plan, id: ids.get(letter) as string }))
  return (letters) => [...letters].map((letter) => ids.get(letter) as string)
}

/** Filters, alone and together, and pages by cursor. */
export function listContract(check: Check): void {
  check('each filter alone, and filters together, find what matches all of them', async (store) => {
    const ids = await filled(store)
    for (const [query, letters] of found) await finds(store, query, ids(letters))
  })

  check('counts are of all that matches, whatever the page', async (store) => {
    const ids = await filled(store)
    const [after] = ids('d') as [string]
    for (const page of [{ limit: 1 }, { offset: 4 }, { offset: 9 }, { after }]) {
      assertCount(await store.interceptions(page), 5, page)
      const own = { ...page, initiator: 'u-1' }
      assertCount(await store.interceptions(own), 3, own)
    }
  })

  check('pages by cursor give each once, in both orders, of one millisecond too', async (store) => {
    const all = [0, 1, 1, 1, 2, 3, 3].map((ms) => told({ ms }))
    await store.record(all.toReversed().flat())
    const oldest = all.map(([begun]) => begun.interceptionId)
    for (const sort of ['newest', 'oldest'] as const) {
      const seen = await pages(store, { sort, limit: 2 })
      assert.deepEqual(seen, sort === 'oldest' ? oldest : oldest.toReversed())
    }
  })

  check('pages by cursor go on after those that run, too', async (store) => {
    const all = [0, 1, 1, 2].flatMap((ms) => [told({ ms }), told({ ms, end: null })])
    await store.record(all.flat())
    const oldest = all.map(([begun]) => begun.interceptionId)
    for (const sort of ['newest', 'oldest'] as const) {
      for (const limit of [1, 2, 3]) {
        const seen = await pages(store, { sort, limit, running: true })
        assert.deepEqual(seen, sort === 'oldest' ? oldest : oldest.toReversed())
      }
    }
  })

  check('what comes in between shifts no page by cursor', async (store) => {
    const ids = await filled(store)
    const [first, second] = ids('ed') as [string, string]
    await finds(store, { limit: 2 }, [first, second])
    const [newer, older] = [told({ ms: 3 * hour }), told({ ms: 500 })]
    await store.record([...newer, ...older])
    await finds(store, { after: second, limit: 2 }, ids('cb'))
    const [second2] = ids('b') as [string]
    await finds(store, { after: second2 }, [older[0].interceptionId, ...ids('a')])
  })

  check('a cursor is a place: it need not match, and filters hold after it', async (store) => {
    const ids = await filled(store)
    const [after] = ids('d') as [string]
    await finds(store, { after, initiator: 'anna' }, ids('ca'))
    await finds(store, { after, initiator: 'anna', offset: 1 }, ids('a'))
    await finds(store, { after, sort: 'oldest', client: 'Zed' }, ids('e'))
    const [last] = ids('a') as [string]
    await finds(store, { after: last }, [])
  })

  check('a cursor that is unknown, or another one’s, is refused alike', async (store) => {
    const ids = await filled(store)
    const [annas, bens] = ids('ab') as [string, string]
    await finds(store, { after: annas, visibleTo: 'u-1' }, [])
    const messages = await Promise.all(
      [idAt(0), 'nonsense', '', bens].map(async (after) => {
        const page = store.interceptions({ after, visibleTo: 'u-1' })
        await assert.rejects(page, badCursor, `after "${after}"`)
        return page.catch((error: Error) => error.message.replaceAll(after, '…'))
      }),
    )
    assert.equal(messages[0], messages[3], 'the message does not tell that there is one')
    await assert.rejects(store.interceptions({ after: idAt(0) }), badCursor)
  })

  check('a session is found by where links have put its parts', async (store) => {
    const [parent, child] = [idAt(0), idAt(1)]
    const answers = { correlatingToolCallId: `${parent}-1` }
    await store.record(told({ id: child, ms: 1, start: { ...answers, sessionId: child } }))
    await finds(store, { sessionId: child }, [child])
    await store.record(told({ id: parent, tools: ['Bash'], start: { sessionId: parent } }))
    await finds(store, { sessionId: child }, [])
    await finds(store, { sessionId: parent }, [child, parent])
  })

  check('what is filtered by follows what comes late, or replaces', async (store) => {
    const id = idAt(0)
    const records = told({ id, tools: ['Bash'], end: { outcome: 'failed' } })
    await store.record(records)
    await store.record([start(id, { model: 'other', startedAt: at(5) })])
    const [begun, call, ended] = records
    await store.record([
      { ...call, tool: 'Read', late: true },
      { ...ended, outcome: 'completed' },
    ] as InterceptionRecord[])
    for (const query of [
      { model: 'other' },
      { tool: 'Read' },
      { outcome: 'completed' },
      { startedAfter: at(5) },
    ] as const)
      await finds(store, query, [id])
    for (const query of [
      { model: begun.model },
      { tool: 'Bash' },
      { outcome: 'failed' },
      { startedBefore: at(4) },
    ] as const)
      await finds(store, query, [])
  })

  check('names are compared as they are: quotes, wild cards, unicode', async (store) => {
    const odd = [
      '%',
      '_',
      "o'hara",
      '"x"',
      '\\',
      'ŁÓDŹ',
      'łódź',
      '😀',
      'a.b',
      '$ne',
      '*',
      'constructor',
      '__proto__',
    ]
    const ids = new Map(odd.map((name) => [name, idAt(0)]))
    for (const [name, id] of ids)
      await store.record(told({ id, start: { model: name, client: name }, tools: [name] }))
    for (const [name, id] of ids) {
      await finds(store, { model: name }, [id])
      await finds(store, { client: name, tool: name }, [id])
    }
  })
}

async function pages(store: Store, query: InterceptionQuery): Promise<string[]> {
  const seen: string[] = []
  for (;;) {
    const after = seen.at(-1)
    const page = idsOf(await store.interceptions({ ...query, ...(after && { after }) }))
    if (page.length === 0) return seen
    seen.push(...page)
  }
}
