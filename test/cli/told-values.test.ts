import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dollars } from '../../src/cli/told-values.ts'

test('a cost that is not known, or hardly anything, is never told as nothing', () => {
  assert.equal(dollars(0), '$0.00')
  assert.equal(dollars(null), '')
  assert.equal(dollars(0, 2), 'unknown')
  assert.equal(dollars(null, 1), 'unknown')
  assert.equal(dollars(12_300_000), '$0.0123')
  assert.equal(dollars(12_300_000, 1), '≥$0.0123')
  assert.equal(dollars(30_000), '<$0.0001')
  assert.equal(dollars(123_456_000_000), '$123.46')
})
