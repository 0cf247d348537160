import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interceptionId } from '../../src/core/ids.ts'
import type { InterceptionPage } from '../../src/core/recorder.ts'
import type { InterceptionRecord } from '../../src/core/records.ts'
import type { Store } from '../../src/core/store.ts'
import { storedInterception } from '../../src/core/stored-interception.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { exportLine } from '../../src/server/export-line.ts'
import { type ImportOptions, importText } from '../../src/server/import.ts'
import { at, end, prompt, start, wholeInterception } from '../support/stored-records.ts'

test('whole lines are stored, the others are told by their number', async () => {
  const text = [line(), '{"half', '', line(), '[]', line()].join('\n')
  const { report, stored, faults } = await imported(text)
  assert.deepEqual(report, { interceptions: 3, records: 24, faults: 2, refused: 0 })
  assert.equal(stored.length, 24)
  assert.deepEqual(
    faults.map(([number]) => number),
    [2, 5],
  )
  assert.match(faults[0]?.[1] ?? '', /is no JSON/)
})

test('lines end at a line feed alone, wherever the pieces of the file end', async () => {
  const text = `\uFEFF${line('one\u2028two\u2029three \u{1F600}')}\r\n${line('äöü')}`
  const bytes = Buffer.from(text)
  for (const size of [1, 7, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
    const { stored, faults } = await imported(pieces)
    assert.deepEqual(faults, [])
    assert.deepEqual(
      stored.flatMap((record) => (record.type === 'prompt_usage' ? [record.prompt] : [])),
      ['one\u2028two\u2029three \u{1F600}', 'äöü'],
    )
  }
})

test('what is no text in lines ends it before it fills the memory', async () => {
  const piece = Buffer.alloc(32 * 1024 ** 2, 'x')
  await assert.rejects(imported([Buffer.from('{}\n'), ...Array.from({ length: 9 }, () => piece)]), {
    code: 'ERR_IMPORT',
    message: /line 2 is longer than 256 MiB/,
  })
})

test('without a store lines are only judged', async () => {
  const faults: number[] = []
  const report = await importText({
    input: piecesOf([Buffer.from(`${line()}\nno line\n`)]),
    onFault: (number) => faults.push(number),
  })
  assert.deepEqual(report, { interceptions: 1, records: 8, faults: 1, refused: 0 })
  assert.deepEqual(faults, [2])
})

test('what the store refuses is told by its line, and holds up no other', async () => {
  const text = [line('fine'), line('bad'), line('fine, too')].join('\n')
  const { report, stored, faults } = await imported(text, {
    refuses: (records) => records.some((it) => it.type === 'prompt_usage' && it.prompt === 'bad'),
  })
  assert.deepEqual(faults, [[2, 'this will not do']])
  assert.equal(report.interceptions, 2)
  assert.equal(new Set(stored.map(({ interceptionId }) => interceptionId)).size, 2)
})

test('a store that takes nothing ends it', async () => {
  await assert.rejects(imported(line(), { refuses: () => true }), {
    code: 'ERR_IMPORT',
    message: /the store takes nothing, at line 1: this will not do/,
  })
})

test('many are stored in batches, and told on the way', async () => {
  const text = Array.from({ length: 250 }, () => line()).join('\n')
  const told: number[] = []
  const { report, batches } = await imported(text, { onProgress: (count) => told.push(count) })
  assert.equal(report.interceptions, 250)
  assert.ok(Math.max(...batches) < 310)
  assert.equal(told.at(-1), 250)
  assert.ok(told.length > 5)
})

test('what the store did not keep is counted, also where it says nothing', async () => {
  const store = memoryRecorder()
  const { results } = await filled(store)
  const text = results.map(exportLine).join('\n')
  const target = memoryRecorder()
  await target.prune({ before: at(3) })
  await target.erase({ initiator: 'u-2', before: at(5) })
  const onFault = () => assert.fail()
  const input = () => piecesOf([Buffer.from(text)])
  const { interceptions, refused } = await importText({ input: input(), store: target, onFault })
  assert.equal(interceptions, 16)
  // Of both 0, 1 and 2 for their age; of one 3, 4 and 5, too.
  assert.equal(refused, 9)
  assert.equal((await target.interceptions()).count, 7)
})

async function filled(store: Store): Promise<InterceptionPage> {
  for (const initiatorId of ['u-1', 'u-2']) {
    for (let ms = 0; ms < 8; ms++) {
      const id = interceptionId()
      await store.record([start(id, { initiatorId }, ms), end(id)])
    }
  }
  return store.interceptions({ sort: 'oldest' })
}

/** An exported interception of eight records. */
function line(text = 'Hello'): string {
  const records = wholeInterception()
  const id = records[0]?.interceptionId as string
  const whole = [start(id), prompt(id, text), ...records.slice(2, -1), end(id, {}, 7)]
  const stored = storedInterception(whole)
  assert.ok(stored)
  return exportLine(stored)
}

interface Trial extends Pick<ImportOptions, 'onProgress'> {
  readonly refuses?: (records: readonly InterceptionRecord[]) => boolean
}

async function imported(
  text: string | readonly Uint8Array[],
  { refuses = () => false, ...options }: Trial = {},
) {
  const stored: InterceptionRecord[] = []
  const batches: number[] = []
  const faults: [number, string][] = []
  const report = await importText({
    ...options,
    input: piecesOf(typeof text === 'string' ? [Buffer.from(text)] : text),
    store: {
      record: async (records) => {
        if (refuses(records)) throw new Error('this will not do')
        batches.push(records.length)
        stored.push(...records)
      },
      interception: async (id) =>
        storedInterception(stored.filter(({ interceptionId }) => interceptionId === id)),
    },
    onFault: (number, message) => faults.push([number, message]),
  })
  return { report, stored, batches, faults }
}

async function* piecesOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}
