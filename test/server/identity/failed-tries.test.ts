import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailedTries } from '../../../src/server/identity/failed-tries.ts'

test('an address has so many tries, and one more after each while', () => {
  let now = 0
  const tries = new FailedTries({ burst: 3, everyMs: 1000, now: () => now })
  assert.deepEqual(
    [1, 2, 3].map(() => tries.note('10.0.0.1')),
    [false, false, true],
  )
  assert.equal(tries.wait('10.0.0.1'), 1000)
  assert.equal(tries.wait('10.0.0.2'), 0)
  now = 400
  assert.equal(tries.wait('10.0.0.1'), 600)
  now = 1000
  assert.equal(tries.wait('10.0.0.1'), 0)
  tries.note('10.0.0.1')
  assert.equal(tries.wait('10.0.0.1'), 1000)
  now = 1_000_000
  assert.deepEqual(
    [1, 2, 3].map(() => tries.note('10.0.0.1')),
    [false, false, true],
  )
})

test('the addresses of one IPv6 network count as one', () => {
  const tries = new FailedTries({ burst: 1 })
  tries.note('2001:db8:0:1::1')
  for (const address of ['2001:db8::1:0:0:0:2', '2001:db8:0:1:ffff::', '2001:db8:0:1:1:2:3:4'])
    assert.notEqual(tries.wait(address), 0, address)
  for (const address of ['2001:db8:0:2::1', '2001:db8::1', '::1'])
    assert.equal(tries.wait(address), 0, address)
})

test('no end of addresses takes no end of memory', () => {
  const tries = new FailedTries({ burst: 1, max: 100 })
  for (let i = 0; i < 10_000; i++) tries.note(`address ${i}`)
  assert.equal(tries.wait('address 0'), 0)
  assert.notEqual(tries.wait('address 9999'), 0)
})
