import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interceptionId, recordId } from '../../src/core/ids.ts'

const uuidv7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('an interception id is a UUIDv7 that carries the time', () => {
  const before = Date.now()
  const id = interceptionId()
  const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  assert.match(id, uuidv7)
  assert.ok(time >= before && time <= Date.now())
})

test('a record id is derived: the same three parts give the same id, in UUIDv7 form', () => {
  const id = interceptionId()
  assert.equal(recordId(id, 'token-counter', '0'), recordId(id, 'token-counter', '0'))
  assert.match(recordId(id, 'token-counter', '0'), uuidv7)
  assert.equal(recordId(id, 'token-counter', '0').slice(0, 13), id.slice(0, 13))
})

test('record ids of other interceptions, plugins and keys differ, also where the parts run together', () => {
  const one = interceptionId()
  const ids = new Set([
    recordId(one, 'a', 'bc'),
    recordId(one, 'ab', 'c'),
    recordId(one, 'abc', ''),
    recordId(one, '', 'abc'),
    recordId(interceptionId(), 'a', 'bc'),
  ])
  assert.equal(ids.size, 5)
})

test('100,000 keys of one interception give 100,000 ids', () => {
  const id = interceptionId()
  const ids = new Set(Array.from({ length: 100_000 }, (_, key) => recordId(id, 'p', String(key))))
  assert.equal(ids.size, 100_000)
})
