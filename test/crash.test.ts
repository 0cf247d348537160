import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Extent, scenarios } from './crash/scenarios.ts'
import { needs } from './support/needs.ts'

// The same as `npm run test:crash`, with few kills and short outages.
const extent: Extent = { kills: 2, between: 500, outage: 5000, away: 5000, pace: 1500 }
/** Ten in all, with that of the store. */
const kills: Readonly<Record<string, number>> = { 'gateway-killed': 4, 'gateway-stopped': 1 }
/** What others here show, too. */
const onlyLong = ['store-away', 'journal-worker-killed', 'journal-gateway-stopped']

for (const { name, missing, run } of scenarios) {
  if (onlyLong.includes(name)) continue
  const reason = missing?.()
  const skip = reason?.includes('mongo') ? needs('mongo', false) : (reason ?? false)
  test(`nothing that a client received is lost: ${name}`, { skip }, async () => {
    const report = await run({ ...extent, kills: kills[name] ?? extent.kills })
    assert.deepEqual(report.losses, [])
    assert.ok(report.whole > 10, `only ${report.whole} replies came whole`)
    // By themselves stores look for it once a minute.
    assert.ok((report.figures.openSeconds ?? 0) < 30, 'what a dead worker left open stays open')
    assert.equal(report.figures.disorderly ?? 0, 0)
  })
}
