import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Diagnostics } from '../../src/core/diagnostics.ts'

test('of a line that is written a thousand times twenty a second are, and the others are told as one', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 0 })
  const lines: string[] = []
  const { log, logEach } = new Diagnostics((level, message) => lines.push(`${level} ${message}`))
  for (let times = 0; times < 1000; times++) log('error', 'it failed')
  log('error', 'something else')
  for (let times = 0; times < 30; times++) logEach('info', 'each')
  const counted = () =>
    Object.fromEntries(
      Object.entries(Object.groupBy(lines, (line) => line)).map(([line, all]) => [
        line,
        all?.length,
      ]),
    )
  deepEqual(counted(), { 'error it failed': 20, 'error something else': 1, 'info each': 30 })
  // Also where it fails no more.
  t.mock.timers.tick(2000)
  equal(lines.at(-1), 'warn it failed (980 more lines like this were left out)')
  equal(lines.length, 52)
  t.mock.timers.tick(5000)
  equal(lines.length, 52)
  for (let times = 0; times < 25; times++) log('error', 'it failed')
  t.mock.timers.tick(1000)
  log('error', 'it failed')
  deepEqual(lines.slice(52 + 20), [
    'warn it failed (5 more lines like this were left out)',
    'error it failed',
  ])
})
