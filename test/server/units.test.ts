import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duration, size, truth, wholeNumber } from '../../src/server/units.ts'

test('durations have a unit, and only 0 may go without', () => {
  const cases = {
    '250ms': 250,
    '30s': 30_000,
    '5m': 300_000,
    '2h': 7_200_000,
    '60d': 5_184_000_000,
  }
  for (const [text, value] of Object.entries(cases)) assert.equal(duration.parse(text), value)
  assert.equal(duration.parse('1w'), 604_800_000)
  assert.equal(duration.parse('1.5s'), 1500)
  assert.equal(duration.parse('0'), 0)
  for (const bad of ['30', '', 's', '-1s', '1 parsec', '1e3s', '5M', 'toString', '0x10s'])
    assert.equal(duration.safeParse(bad).success, false, bad)
})

test('sizes are in units of 1024, or in bytes', () => {
  assert.equal(size.parse('64KiB'), 65_536)
  assert.equal(size.parse('32MiB'), 33_554_432)
  assert.equal(size.parse('1GiB'), 1_073_741_824)
  assert.equal(size.parse('1000'), 1000)
  for (const bad of ['32MB', '32M', '1.2.3KiB', '', '-1', 'KiB'])
    assert.equal(size.safeParse(bad).success, false, bad)
})

test('booleans and whole numbers are taken as written, nothing else', () => {
  assert.deepEqual(
    ['true', '1', 'false', '0'].map((text) => truth.parse(text)),
    [true, true, false, false],
  )
  assert.equal(truth.safeParse('yes').success, false)
  const port = wholeNumber(0, 65_535)
  assert.equal(port.parse('4141'), 4141)
  for (const bad of ['65536', '1.5', '-1', 'tcp://10.0.0.1', '', ' 1'])
    assert.equal(port.safeParse(bad).success, false, bad)
})
