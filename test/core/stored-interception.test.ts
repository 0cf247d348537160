import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { interceptionId, recordId } from '../../src/core/ids.ts'
import { reapedEnd } from '../../src/core/reaped-end.ts'
import { newestFirst, storedInterception } from '../../src/core/stored-interception.ts'
import { end, start, wholeInterception } from '../support/stored-records.ts'

test('an interception is the same in whatever order its records are given', () => {
  const records = wholeInterception()
  const stored = storedInterception(records)
  const orders = fc.shuffledSubarray(records, { minLength: records.length })
  fc.assert(fc.property(orders, (order) => assert.deepEqual(storedInterception(order), stored)))
})

test('without its start there is no interception yet', () => {
  assert.equal(storedInterception(wholeInterception().slice(1)), null)
  assert.equal(storedInterception([]), null)
})

test('an owner’s end counts more than a reaper’s under another id', () => {
  const id = interceptionId()
  const reaped = {
    ...reapedEnd({ id, startedAt: '', lastSeenAt: '', lastSeq: 100 }),
    id: recordId(id, 'elsewhere', 'end'),
  }
  for (const ends of [
    [end(id), reaped],
    [reaped, end(id)],
  ])
    assert.equal(storedInterception([start(id), ...ends])?.end?.outcome, 'completed')
})

test('a record whose type is the name of an object’s own method is kept with the others', () => {
  const records = wholeInterception()
  const odd = { ...records[1], type: 'constructor' } as never
  assert.deepEqual(storedInterception([...records, odd])?.others, [odd])
})

test('the newest comes first, whatever zone its time is written in', () => {
  const [a, b] = ['2026-01-15T11:30:00.000+02:00', '2026-01-15T10:30:00.000Z'].map((startedAt) => {
    const stored = storedInterception([start(interceptionId(), { startedAt })])
    assert.ok(stored)
    return stored
  })
  assert.ok(a && b)
  assert.deepEqual([a, b].sort(newestFirst), [b, a])
})
