import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { interceptionId } from '../../src/core/ids.ts'
import { reapedEnd } from '../../src/core/reaped-end.ts'
import type { Recorder, StoredInterception } from '../../src/core/recorder.ts'
import type { InterceptionRecord } from '../../src/core/records.ts'
import {
  at,
  end,
  prompt,
  stamp,
  start,
  tool,
  usage,
  wholeInterception,
} from '../support/stored-records.ts'
import { linksContract } from './links-contract.ts'

declare module 'sluice' {
  interface RecordTypes {
    contract_extra: { readonly tookMs: number }
  }
}

export interface RecorderContractOptions {
  readonly name: string
  /** A recorder on an empty store, not yet open. */
  create(): Recorder | Promise<Recorder>
  /** Removes what `create` left behind; the recorder is closed by then. */
  dispose?(recorder: Recorder): void | Promise<void>
  readonly skip?: string | false
  /** It joins threads by what is stored. @default true */
  readonly links?: boolean
  /** How many made-up histories it has to link. */
  readonly linkRuns?: number
  /** How many tool calls the largest interception has. @default 5000 */
  readonly manyCalls?: number
}

/** What every recorder must do. Each test gets an empty store. */
export function recorderContract({
  name,
  create,
  dispose,
  skip = false,
  links = true,
  linkRuns,
  manyCalls = 5000,
}: RecorderContractOptions): void {
  describe(`${name} keeps the contract of recorders`, { skip }, () => {
    function check(behaviour: string, run: (recorder: Recorder) => Promise<void>): void {
      test(behaviour, async () => {
        const recorder = await create()
        await recorder.open()
        try {
          await run(recorder)
        } finally {
          await recorder.close()
          await dispose?.(recorder)
        }
      })
    }

    check('an empty store has no interceptions', async (recorder) => {
      assert.deepEqual(await recorder.interceptions(), { count: 0, results: [] })
      assert.equal(await recorder.interception(interceptionId()), null)
    })

    check('an empty batch is stored', async (recorder) => {
      await recorder.record([])
      assert.equal((await recorder.interceptions()).count, 0)
    })

    check('gives back every record as it was, in lists by type', async (recorder) => {
      const records = wholeInterception()
      await recorder.record(records)
      assert.deepEqual(plain(await recorder.interception(idOf(records))), expected(records))
      const page = await recorder.interceptions()
      assert.equal(page.count, 1)
      assert.deepEqual(page.results.map(plain), [expected(records)])
    })

    check('takes one record at a time as well as all at once', async (recorder) => {
      const records = wholeInterception()
      for (const record of records) await recorder.record([record])
      assert.deepEqual(plain(await recorder.interception(idOf(records))), expected(records))
    })

    check('takes records in any order: the end before the start, both last', async (recorder) => {
      const backwards = wholeInterception()
      await recorder.record(backwards.toReversed())
      assert.deepEqual(plain(await recorder.interception(idOf(backwards))), expected(backwards))

      const [start, ...rest] = wholeInterception() as [InterceptionRecord, ...InterceptionRecord[]]
      for (const record of rest.toReversed()) await recorder.record([record])
      assert.equal(await recorder.interception(start.interceptionId), null)
      assert.equal((await recorder.interceptions({ running: true })).count, 1)
      await recorder.record([start])
      assert.deepEqual(
        plain(await recorder.interception(start.interceptionId)),
        expected([start, ...rest]),
      )
      assert.equal((await recorder.interceptions()).count, 2)
    })

    check('takes a batch twice, whole and in pieces, and keeps it once', async (recorder) => {
      const records = wholeInterception()
      await recorder.record(records)
      await recorder.record(records)
      await recorder.record([...records, ...records.toReversed()])
      await recorder.record(records.slice(2, 4))
      assert.deepEqual(plain(await recorder.interception(idOf(records))), expected(records))
      assert.equal((await recorder.interceptions()).count, 1)
    })

    check('takes batches side by side', async (recorder) => {
      const all = Array.from({ length: 20 }, () => wholeInterception())
      await Promise.all(all.map((records) => recorder.record(records)))
      const { count, results } = await recorder.interceptions()
      assert.equal(count, 20)
      assert.deepEqual(
        new Set(results.map(({ id }) => id)),
        new Set(all.map((records) => idOf(records))),
      )
    })

    check('a later record of the same id replaces, and keeps its first place', async (recorder) => {
      const id = interceptionId()
      const first = usage(id, { seq: 1, outputTokens: 1 })
      await recorder.record([start(id), first])
      await recorder.record([usage(id, { key: 'other', seq: 2, outputTokens: 7 })])
      await recorder.record([usage(id, { seq: 5, outputTokens: 42 })])
      const stored = await recorder.interception(id)
      assert.deepEqual(
        stored?.tokenUsages.map(({ seq, outputTokens }) => [seq, outputTokens]),
        [
          [1, 42],
          [2, 7],
        ],
      )
    })

    check('of one record twice in a batch the later one counts', async (recorder) => {
      const id = interceptionId()
      await recorder.record([
        start(id),
        usage(id, { seq: 1, outputTokens: 1 }),
        usage(id, { seq: 3, outputTokens: 2 }),
      ])
      const [only, ...more] = (await recorder.interception(id))?.tokenUsages ?? []
      assert.deepEqual([only?.seq, only?.outputTokens, more.length], [1, 2, 0])
    })

    check('a later start replaces what is filtered by', async (recorder) => {
      const id = interceptionId()
      await recorder.record([start(id, { initiatorId: 'u-1' }), end(id)])
      await recorder.record([start(id, { initiatorId: 'u-2' })])
      assert.equal((await recorder.interceptions({ initiator: 'u-1' })).count, 0)
      assert.equal((await recorder.interceptions({ initiator: 'u-2' })).count, 1)
    })

    check('an owner’s end replaces a reaper’s, in either order', async (recorder) => {
      for (const ownerFirst of [true, false]) {
        const id = interceptionId()
        const reaped = reapedEnd({ id, startedAt: at(0), lastSeenAt: at(1), lastSeq: 0 })
        await recorder.record([start(id), ownerFirst ? end(id) : reaped])
        await recorder.record([ownerFirst ? reaped : end(id)])
        const stored = await recorder.interception(id)
        assert.equal(stored?.end?.outcome, 'completed')
        assert.equal(stored?.end?.reaped, undefined)
        // What comes of both is what comes of the owner's alone: exports of a copy are the same.
        assert.ok(stored?.end && 'seq' in stored.end && stored.end.seq === end(id).seq)
      }
      const { results } = await recorder.interceptions()
      assert.deepEqual(
        results.map((stored) => stored.end?.outcome),
        ['completed', 'completed'],
      )
    })

    check('a reaper’s end stands where there is no other', async (recorder) => {
      const id = interceptionId()
      const reaped = reapedEnd({ id, startedAt: at(0), lastSeenAt: at(1500), lastSeq: 3 })
      await recorder.record([start(id)])
      await recorder.record([reaped])
      await recorder.record([reaped])
      const stored = await recorder.interception(id)
      assert.equal(stored?.end?.outcome, 'aborted')
      assert.equal(stored?.end?.durationMs, 1500)
      assert.equal((await recorder.interceptions()).count, 1)
    })

    check('orders each list by seq, not by arrival', async (recorder) => {
      const id = interceptionId()
      const shuffled = [7, 2, 9, 4, 11, 3].map((seq) => tool(id, seq, `tool-${seq}`))
      await recorder.record([start(id), ...shuffled.slice(0, 3)])
      await recorder.record(shuffled.slice(3))
      const stored = await recorder.interception(id)
      assert.deepEqual(
        stored?.toolUsages.map(({ seq }) => seq),
        [2, 3, 4, 7, 9, 11],
      )
    })

    check('keeps a record of a type that a plugin added', async (recorder) => {
      const id = interceptionId()
      const slow: InterceptionRecord = {
        ...stamp(id, 'slow', 'a', 1),
        type: 'contract_extra',
        tookMs: 1234,
      }
      await recorder.record([slow, start(id)])
      assert.deepEqual((await recorder.interception(id))?.others, [slow])
    })

    check('keeps marks of late and truncated records', async (recorder) => {
      const id = interceptionId()
      const late = { ...tool(id, 1, 'Bash'), late: true, truncated: ['input'] } as const
      await recorder.record([start(id), late])
      assert.deepEqual((await recorder.interception(id))?.toolUsages, [late])
    })

    check('keeps text to the letter: unicode, control characters, quotes', async (recorder) => {
      const id = interceptionId()
      const text =
        'żółć 漢字 👩‍👩‍👧 \u0000\u0001\u001f\u2028\u2029 "\'\\ $where {"a.b": 1} \ud83d\ude00 \r\n\t'
      await recorder.record([
        start(id, { initiatorUsername: 'Łukasz $é.😀', metadata: { 'a.b': { $c: text } } }),
        prompt(id, text),
        end(id, { errorMessage: text }),
      ])
      const stored = await recorder.interception(id)
      assert.equal(stored?.userPrompts[0]?.prompt, text)
      assert.equal(stored?.end?.errorMessage, text)
      assert.deepEqual(stored?.start.metadata, { 'a.b': { $c: text } })
      assert.equal((await recorder.interceptions({ initiator: 'Łukasz $é.😀' })).count, 1)
    })

    check('keeps a prompt just under 1 MiB whole', async (recorder) => {
      const id = interceptionId()
      const text = 'ab漢字'.repeat(130_000)
      assert.ok(Buffer.byteLength(text) < 1024 ** 2 && Buffer.byteLength(text) > 0.9 * 1024 ** 2)
      await recorder.record([start(id), prompt(id, text), end(id)])
      assert.equal((await recorder.interception(id))?.userPrompts[0]?.prompt, text)
    })

    check(`keeps an interception of ${manyCalls} tool calls`, async (recorder) => {
      const id = interceptionId()
      const tools = Array.from({ length: manyCalls }, (_, n) => tool(id, n + 1, `tool-${n}`))
      await recorder.record([start(id), ...tools, end(id, {}, manyCalls + 1)])
      const stored = await recorder.interception(id)
      assert.deepEqual(stored?.toolUsages, tools)
      assert.equal(stored?.end?.outcome, 'completed')
    })

    check('lists only what has ended, unless running ones are asked for', async (recorder) => {
      const done = interceptionId()
      const open = interceptionId()
      await recorder.record([start(done, {}, 0), end(done), start(open, {}, 1)])
      assert.deepEqual(ids(await recorder.interceptions()), [1, [done]])
      assert.deepEqual(ids(await recorder.interceptions({ running: true })), [2, [open, done]])
      assert.equal((await recorder.interception(open))?.end, null)
      await recorder.record([end(open)])
      assert.deepEqual(ids(await recorder.interceptions()), [2, [open, done]])
    })

    check(
      'orders by start time, then id, the newest first, whatever came in first',
      async (recorder) => {
        const all = [3, 1, 2, 2, 0, 2].map((ms) => ({ id: interceptionId(), ms }))
        for (const { id, ms } of all) await recorder.record([start(id, {}, ms), end(id)])
        const order = all
          .toSorted((a, b) => b.ms - a.ms || (a.id < b.id ? 1 : -1))
          .map(({ id }) => id)
        assert.deepEqual(ids(await recorder.interceptions()), [6, order])
      },
    )

    check('pages by limit and offset, and counts all', async (recorder) => {
      const all = Array.from({ length: 7 }, () => interceptionId())
      await recorder.record(all.flatMap((id, ms) => [start(id, {}, ms), end(id)]))
      const order = all.toReversed()
      assert.deepEqual(ids(await recorder.interceptions({ limit: 3 })), [7, order.slice(0, 3)])
      assert.deepEqual(ids(await recorder.interceptions({ limit: 3, offset: 3 })), [
        7,
        order.slice(3, 6),
      ])
      assert.deepEqual(ids(await recorder.interceptions({ limit: 3, offset: 6 })), [
        7,
        order.slice(6),
      ])
      assert.deepEqual(ids(await recorder.interceptions({ offset: 9 })), [7, []])
    })

    check('gives 100 interceptions where no limit is named', async (recorder) => {
      const all = Array.from({ length: 103 }, () => interceptionId())
      await recorder.record(all.flatMap((id, ms) => [start(id, {}, ms), end(id)]))
      const { count, results } = await recorder.interceptions()
      assert.deepEqual([count, results.length], [103, 100])
      assert.equal((await recorder.interceptions({ limit: 1000 })).results.length, 103)
    })

    describe('finds an initiator by id or username', () => {
      let recorder: Recorder
      const [anna, ben, namesake] = [interceptionId(), interceptionId(), interceptionId()]
      before(async () => {
        recorder = await create()
        await recorder.open()
        await recorder.record([
          start(anna, { initiatorId: 'u-1', initiatorUsername: 'anna' }, 0),
          end(anna),
          start(ben, { initiatorId: 'u-2', initiatorUsername: 'ben' }, 1),
          // Whose name is another one's id: both are found.
          start(namesake, { initiatorId: 'u-3', initiatorUsername: 'u-1' }, 2),
          end(namesake),
        ])
      })
      after(async () => {
        await recorder.close()
        await dispose?.(recorder)
      })

      for (const [initiator, running, found] of [
        ['u-1', false, [namesake, anna]],
        ['anna', false, [anna]],
        ['ben', false, []],
        ['ben', true, [ben]],
        ['u-2', true, [ben]],
        ['u-3', false, [namesake]],
        ['Anna', false, []],
        ['', false, []],
        ['%', false, []],
      ] as const) {
        test(`"${initiator}"${running ? ', running ones too' : ''}`, async () => {
          assert.deepEqual(ids(await recorder.interceptions({ initiator, running })), [
            found.length,
            [...found],
          ])
        })
      }

      test('page by page', async () => {
        const query = { initiator: 'u-1', limit: 1 }
        assert.deepEqual(ids(await recorder.interceptions(query)), [2, [namesake]])
        assert.deepEqual(ids(await recorder.interceptions({ ...query, offset: 1 })), [2, [anna]])
      })
    })

    check('finds what carries all the annotations that are named', async (recorder) => {
      const [main, other, none, open] = [
        interceptionId(),
        interceptionId(),
        interceptionId(),
        interceptionId(),
      ]
      const both = { repo: 'git@host:a/b.c', branch: 'main $é "x"' }
      await recorder.record([
        start(main, { annotations: { ...both, issue: '7' }, initiatorId: 'u-1' }, 0),
        end(main),
        start(other, { annotations: { ...both, branch: 'main' } }, 1),
        end(other),
        start(none, { annotations: {} }, 2),
        end(none),
        start(open, { annotations: { ...both, 'a.$b"': 'x' } }, 3),
      ])
      for (const [annotations, found, query = {}] of [
        [{}, [none, other, main]],
        [{ repo: both.repo }, [other, main]],
        [{ repo: both.repo }, [open, other, main], { running: true }],
        [{ repo: both.repo }, [main], { initiator: 'u-1' }],
        [{ repo: both.repo }, [open, other], { initiator: 'u-0', running: true }],
        [both, [main]],
        [both, [open, main], { running: true }],
        [{ issue: '7' }, [main]],
        [{ ...both, issue: '8' }, []],
        [{ repo: 'git@host:a/b' }, []],
        [{ repo: '' }, []],
        [{ 'a.$b"': 'x' }, [open], { running: true }],
        [{ 'a.$b"': 'y' }, [], { running: true }],
        [{ repo: both.repo, constructor: 'x' }, []],
      ] as const) {
        assert.deepEqual(
          ids(await recorder.interceptions({ annotations, ...query })),
          [found.length, found],
          JSON.stringify({ annotations, ...query }),
        )
      }
      const query = { annotations: { repo: both.repo }, limit: 1 }
      assert.deepEqual(ids(await recorder.interceptions(query)), [2, [other]])
      assert.deepEqual(ids(await recorder.interceptions({ ...query, offset: 1 })), [2, [main]])
    })

    check('a later start replaces the annotations that are filtered by', async (recorder) => {
      const id = interceptionId()
      await recorder.record([start(id, { annotations: { repo: 'a', issue: '1' } }), end(id)])
      await recorder.record([start(id, { annotations: { repo: 'b' } })])
      for (const [annotations, count] of [
        [{ repo: 'a' }, 0],
        [{ issue: '1' }, 0],
        [{ repo: 'b' }, 1],
      ] as const)
        assert.equal((await recorder.interceptions({ annotations })).count, count)
    })

    if (links) linksContract(check, linkRuns)

    check('can be closed and opened again', async (recorder) => {
      await recorder.close()
      await recorder.open()
      const records = wholeInterception()
      await recorder.record(records)
      assert.deepEqual(plain(await recorder.interception(idOf(records))), expected(records))
    })
  })
}

function idOf(records: readonly InterceptionRecord[]): string {
  return records[0]?.interceptionId ?? ''
}

/** What must come back for the records of `wholeInterception`. */
function expected(records: readonly InterceptionRecord[]) {
  const [start, prompt, result, thought, bash, read, usage, end] = records
  return {
    id: idOf(records),
    start,
    end,
    tokenUsages: [usage],
    userPrompts: [prompt],
    toolUsages: [bash, read],
    toolResults: [result],
    modelThoughts: [thought],
    others: [],
  }
}

function plain(stored: StoredInterception | null | undefined): unknown {
  return stored && structuredClone(stored)
}

function ids({ count, results }: { count: number; results: readonly StoredInterception[] }) {
  return [count, results.map(({ id }) => id)]
}
