import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LastUses } from '../../../src/server/accounts/last-uses.ts'
import { Remembered } from '../../../src/server/accounts/remembered.ts'

interface Source {
  looks: number
  value: string | null
  fault: Error | null
}

function remembered(more: object = {}) {
  const source: Source = { looks: 0, value: 'one', fault: null }
  const clock = { now: 0 }
  const memory = new Remembered<string>({
    load: async () => {
      source.looks++
      if (source.fault) throw source.fault
      return source.value
    },
    now: () => clock.now,
    ...more,
  })
  return { source, clock, memory }
}

test('what was seen lately is told without asking the store', async () => {
  const { source, clock, memory } = remembered()
  assert.equal(await memory.get('a'), 'one')
  clock.now = 14_999
  // At once, and not a promise: no request waits.
  assert.equal(memory.get('a'), 'one')
  assert.equal(source.looks, 1)
})

test('a revocation elsewhere counts after 30 s at the latest', async () => {
  const { source, clock, memory } = remembered()
  await memory.get('a')
  source.value = null
  clock.now = 20_000
  assert.equal(await memory.get('a'), 'one')
  assert.equal(source.looks, 2)
  await new Promise(setImmediate)
  assert.equal(await memory.get('a'), null)

  const late = remembered()
  await late.memory.get('a')
  late.source.value = null
  late.clock.now = 30_001
  assert.equal(await late.memory.get('a'), null)
  assert.equal(late.memory.has('a'), false)
})

test('a change here counts at once, also where a look was on its way', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const slow = remembered({ load: () => promise })
  const early = slow.memory.get('a')
  slow.memory.forget()
  resolve('before the change')
  assert.equal(await early, 'before the change')
  assert.equal(slow.memory.has('a'), false)

  const { source, memory } = remembered()
  await memory.get('a')
  memory.forget()
  source.fault = new Error('away')
  await assert.rejects(async () => memory.get('a'), /away/)
  source.fault = null
  source.value = null
  assert.equal(memory.has('a'), true)
  assert.equal(await memory.get('a'), null)
  assert.equal(memory.has('a'), false)
})

test('while the store is away the known go on for a time, without waiting each', async () => {
  const { source, clock, memory } = remembered()
  await memory.get('a')
  source.fault = new Error('away')
  clock.now = 60_000
  assert.equal(await memory.get('a'), 'one')
  clock.now = 61_000
  assert.equal(memory.get('a'), 'one')
  await assert.rejects(async () => memory.get('b'), /away/)
  clock.now = 600_001
  await assert.rejects(async () => memory.get('a'), /away/)
  source.fault = null
  assert.equal(await memory.get('a'), 'one')
})

test('a store that hangs is not waited for, and one look serves all who ask', async () => {
  let looks = 0
  const load = () => {
    looks++
    return new Promise<string>(() => {})
  }
  const { memory } = remembered({ load, patienceMs: 20 })
  const all = await Promise.allSettled([memory.get('a'), memory.get('a'), memory.get('a')])
  assert.deepEqual([...new Set(all.map(({ status }) => status))], ['rejected'])
  assert.equal(looks, 1)
})

test('it remembers so many and no more', async () => {
  const { memory } = remembered({ max: 100 })
  for (let i = 0; i < 1000; i++) await memory.get(`key ${i}`)
  const kept = Array.from({ length: 1000 }, (_, i) => memory.has(`key ${i}`)).filter(Boolean)
  assert.ok(kept.length >= 100 && kept.length <= 110, String(kept.length))
  assert.ok(memory.has('key 999'))
})

test('the use of a token is written once a minute, and those of many together', async () => {
  const written: unknown[] = []
  const uses = new LastUses(async (batch) => void written.push(batch), 60_000)
  for (let i = 0; i < 100; i++) uses.note('a', 1_000_000 + i)
  uses.note('b', 1_000_000)
  await uses.flush()
  uses.note('a', 1_059_000)
  await uses.flush()
  assert.deepEqual(written, [
    [
      { id: 'a', at: 1_000_000 },
      { id: 'b', at: 1_000_000 },
    ],
  ])
  uses.note('a', 1_060_000)
  await uses.flush()
  assert.equal(written.length, 2)
})
