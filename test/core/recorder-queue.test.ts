import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Diagnostics } from '../../src/core/diagnostics.ts'
import { SluiceError } from '../../src/core/errors.ts'
import { interceptionId } from '../../src/core/ids.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { RecorderQueue, type RecorderQueueOptions } from '../../src/core/recorder-queue.ts'
import type { InterceptionRecord } from '../../src/core/records.ts'
import { until } from '../support/harm.ts'
import { end, prompt, start, tool, usage } from '../support/stored-records.ts'

type Batch = readonly InterceptionRecord[]

function setUp(record: (batch: Batch) => void | Promise<void>, options: QueueOptions = {}) {
  const { durable = true, ...rest } = options
  const lines: { message: string; fields: Record<string, unknown> }[] = []
  const diagnostics = new Diagnostics((_, message, fields) =>
    lines.push({ message, fields: { ...fields } }),
  )
  const plugin: Plugin = { name: 'store', record, ...(durable && { durable: true }) }
  const queue = new RecorderQueue(plugin, diagnostics, { backOff: [1, 4], ...rest })
  const lost = () => lines.filter(({ message }) => message === 'recorder store lost a record')
  return { queue, diagnostics, lines, lost }
}

interface QueueOptions extends RecorderQueueOptions {
  readonly durable?: boolean
}

/** Records of one interception, told apart by `seq`. */
function records(count: number): InterceptionRecord[] {
  const id = interceptionId()
  return Array.from({ length: count }, (_, seq) => tool(id, seq, 'Bash'))
}

const seqs = (batch: Batch) => batch.map(({ seq }) => seq)

test('records go out in order, one batch at a time; what piled up meanwhile is the next batch', async () => {
  const batches: number[][] = []
  let running = 0
  const { queue } = setUp(async (batch) => {
    equal(++running, 1, 'another batch runs')
    batches.push(seqs(batch))
    await new Promise((resolve) => setImmediate(resolve))
    running--
  })
  const all = records(7)
  for (const record of all.slice(0, 2)) queue.push(record)
  await until(() => batches.length === 1)
  for (const record of all.slice(2)) queue.push(record)
  await queue.committed(queue.position)
  deepEqual(batches, [
    [0, 1],
    [2, 3, 4, 5, 6],
  ])
})

test('a batch has no more records than a store takes at once', async () => {
  const sizes: number[] = []
  const { queue } = setUp((batch) => void sizes.push(batch.length), { maxBatch: 3 })
  for (const record of records(8)) queue.push(record)
  await queue.committed(queue.position)
  deepEqual(sizes, [3, 3, 2])
})

test('a store that is down for a while loses nothing, and gets all in order when it is back', async () => {
  const stored: number[] = []
  let down = true
  let tries = 0
  const { queue, diagnostics, lost } = setUp((batch) => {
    tries++
    if (down) throw new Error('down')
    stored.push(...seqs(batch))
  })
  const all = records(10)
  for (const record of all.slice(0, 5)) queue.push(record)
  await until(() => tries > 6)
  for (const record of all.slice(5)) queue.push(record)
  await until(() => tries > 12)
  equal(queue.size, 10)
  down = false
  await queue.committed(queue.position)
  deepEqual(stored, seqs(all))
  equal(lost().length, 0)
  ok(diagnostics.total('plugin_errors', { plugin: 'store' }) > 6)
})

test('a record that the store refuses is set aside with its id, and all others are stored', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(39), { maxLength: 15 }),
      fc.integer({ min: 1, max: 17 }),
      async (badSeqs, maxBatch) => {
        const bad = new Set(badSeqs)
        const stored = new Map<string, number>()
        const { queue, lost } = setUp(
          (batch) => {
            if (batch.some(({ seq }) => bad.has(seq))) throw new Error('bad record')
            for (const { id, seq } of batch) stored.set(id, seq)
          },
          { maxBatch, backOff: [0.1, 0.1] },
        )
        const all = records(40)
        const good = all.filter(({ seq }) => !bad.has(seq))
        for (const record of all) queue.push(record)
        await until(() => stored.size === good.length)
        deepEqual([...stored.values()].sort(byNumber), seqs(good))
        await queue.close(200)
        const refused = lost().map(({ fields }) => fields.id)
        deepEqual(
          refused.sort(),
          all
            .filter(({ seq }) => bad.has(seq))
            .map(({ id }) => id)
            .sort(),
        )
      },
    ),
    { numRuns: 30 },
  )
})

test('a store that goes down amid the search for a bad record loses no good one', async () => {
  const stored = new Set<number>()
  let calls = 0
  // Batches with the bad record fail; from the fifth call on everything fails for a while.
  const { queue, lost } = setUp((batch) => {
    calls++
    if (calls > 5 && calls < 40) throw new Error('down')
    if (batch.some(({ seq }) => seq === 3)) throw new Error('bad record')
    for (const { seq } of batch) stored.add(seq)
  })
  for (const record of records(12)) queue.push(record)
  await until(() => stored.size === 11)
  await until(() => lost().length === 1)
  equal(queue.size, 0)
})

test('a full disk that takes small records alone makes no large one a bad record', async () => {
  const taken: InterceptionRecord[] = []
  let room = 500
  const { queue, lost } = setUp((batch) => {
    if (batch.some((record) => JSON.stringify(record).length > room))
      throw new SluiceError('the disk is full', { code: 'ERR_STORE_FULL' })
    taken.push(...batch)
  })
  const id = interceptionId()
  const large = prompt(id, 'word '.repeat(1000))
  queue.push(large)
  queue.push(tool(id, 2, 'Bash'))
  let tries = 0
  while (tries++ < 40) await new Promise((resolve) => setTimeout(resolve, 1))
  room = 100_000
  await queue.committed(queue.position)
  deepEqual(lost(), [])
  deepEqual([...new Set(taken.map(({ type }) => type))].sort(), ['prompt_usage', 'tool_usage'])
})

test('over the bound content goes first, marked; then what is no start, end or usage; then the oldest, told whole', async () => {
  const stored: InterceptionRecord[] = []
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const { queue, diagnostics, lost } = setUp(
    async (batch) => {
      await opened
      stored.push(...batch)
    },
    { maxBytes: 20_000, maxBatch: 1 },
  )
  const id = interceptionId()
  // One that is being written already, so that the rest waits.
  queue.push(start(id))
  await new Promise((resolve) => setImmediate(resolve))
  queue.push(prompt(id, 'x'.repeat(8000)))
  ok(queue.bytes < 20_000)
  queue.push(end(id))
  queue.push({ ...prompt(id, 'y'.repeat(8000)), id: 'other' })
  equal(diagnostics.total('records_dropped', { reason: 'content' }), 1, 'the oldest content only')
  equal(queue.size, 4)
  ok(queue.bytes <= 20_000)

  const usages = Array.from({ length: 60 }, (_, seq) =>
    usage(interceptionId(), { seq, outputTokens: 1 }),
  )
  for (const record of usages) queue.push(record)
  ok(queue.bytes <= 20_000)
  const types = (reason: string) =>
    lost()
      .filter(({ fields }) => fields.reason === reason)
      .map(({ fields }) => fields.record_type)
  deepEqual(types('queue_full').slice(0, 3), ['prompt_usage', 'prompt_usage', 'interception_start'])
  const told = lost().find(({ fields }) => fields.record_type === 'interception_end')
  match(JSON.stringify(told?.fields.record), /"outcome":"completed"/)
  ok(types('queue_full').length < 40)
  equal(diagnostics.total('records_dropped', { reason: 'queue_full' }), types('queue_full').length)

  open()
  await queue.committed(queue.position)
  equal(stored.at(-1)?.id, usages.at(-1)?.id, 'the newest is kept')
})

test('content that went is marked in what is stored', async () => {
  const stored: InterceptionRecord[] = []
  let down = true
  const { queue } = setUp(
    (batch) => {
      if (down) throw new Error('down')
      stored.push(...batch)
    },
    { maxBytes: 10_000 },
  )
  const id = interceptionId()
  queue.push(start(id))
  queue.push(prompt(id, 'x'.repeat(8000)))
  down = false
  await queue.committed(queue.position)
  const [, kept] = stored
  equal(kept?.type === 'prompt_usage' && kept.prompt, '')
  deepEqual(kept?.truncated, ['prompt', 'rawPrompt'])
})

for (const durable of [true, false]) {
  test(`a record that is larger than the bound costs its own content and nothing of others (${durable ? '' : 'not '}durable)`, async () => {
    const stored: InterceptionRecord[] = []
    const { queue, lost } = setUp((batch) => void stored.push(...batch), {
      durable,
      maxBytes: 50_000,
    })
    const id = interceptionId()
    queue.push(start(interceptionId()))
    queue.push(prompt(interceptionId(), 'short'))
    queue.push(prompt(id, 'x'.repeat(30_000)))
    queue.push(end(id))
    await queue.committed(queue.position)
    equal(lost().length, 0)
    const prompts = stored.map((record) => record.type === 'prompt_usage' && record.prompt)
    deepEqual(prompts, [false, 'short', '', false])
    deepEqual(stored[2]?.truncated, ['prompt', 'rawPrompt'])
  })
}

test('a recorder that is not durable: a failed batch is dropped and counted, not tried again', async () => {
  const tried: number[][] = []
  const { queue, diagnostics, lost } = setUp(
    (batch) => {
      tried.push(seqs(batch))
      if (tried.length === 1) throw new Error('once')
    },
    { durable: false, maxBatch: 2 },
  )
  for (const record of records(4)) queue.push(record)
  await queue.committed(queue.position)
  deepEqual(tried, [
    [0, 1],
    [2, 3],
  ])
  equal(diagnostics.total('records_dropped', { recorder: 'store', reason: 'failed' }), 2)
  equal(lost().length, 2)
})

test('a recorder that is not durable and hangs: the oldest are dropped and counted, memory is bounded', async () => {
  const { queue, diagnostics, lost } = setUp(() => new Promise(() => {}), {
    durable: false,
    maxBytes: 50_000,
  })
  for (const record of records(1000)) queue.push(record)
  ok(queue.bytes <= 50_000)
  equal(queue.size + diagnostics.total('records_dropped', { reason: 'queue_full' }), 1000)
  ok(lost().length <= 40, 'its losses do not flood the log')
})

test('records that were shed while their batch was being written are not given up twice', async () => {
  const tried = new Set<number>()
  let fail: (error: Error) => void = () => {}
  const { queue, diagnostics } = setUp(
    (batch) => {
      for (const { seq } of batch) tried.add(seq)
      return tried.has(99)
        ? undefined
        : new Promise((_, reject) => {
            fail = reject
          })
    },
    { durable: false, maxBytes: 50_000, maxBatch: 50 },
  )
  const all = records(100)
  for (const record of all.slice(0, 50)) queue.push(record)
  await until(() => tried.size === 50)
  for (const record of all.slice(50))
    queue.push({
      ...record,
      ...(record.seq < 99 && { input: 'x'.repeat(600) }),
    } as InterceptionRecord)
  const waiting = queue.size
  const shed = diagnostics.total('records_dropped', { reason: 'queue_full' })
  ok(shed > 0 && waiting + shed === 100)
  fail(new Error('late'))
  await until(() => queue.size === 0 || tried.size > 50)
  equal(diagnostics.total('records_dropped'), Math.max(50, shed))
})

test('close stores what waits', async () => {
  const stored: number[] = []
  const { queue } = setUp(
    async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      stored.push(...seqs(batch))
    },
    { maxBatch: 2 },
  )
  for (const record of records(5)) queue.push(record)
  await queue.close()
  deepEqual(stored, [0, 1, 2, 3, 4])
})

test('close does not wait for a long pause to pass: the store is asked once more', async () => {
  let tries = 0
  const { queue } = setUp(
    () => {
      if (++tries === 1) throw new Error('down')
    },
    { backOff: [60_000, 60_000] },
  )
  queue.push(records(1)[0] as InterceptionRecord)
  await until(() => tries === 1)
  await queue.close()
  equal(tries, 2)
  equal(queue.size, 0)
})

test('close gives up after its time and tells what is lost, also what comes after it', async () => {
  const { queue, diagnostics, lost } = setUp(() => new Promise(() => {}))
  const [first, second] = records(2) as [InterceptionRecord, InterceptionRecord]
  queue.push(first)
  await queue.close(10)
  queue.push(second)
  equal(diagnostics.total('records_dropped', { recorder: 'store', reason: 'closed' }), 2)
  deepEqual(
    lost().map(({ fields }) => fields.id),
    [first.id, second.id],
  )
})

const byNumber = (a: number, b: number) => a - b
