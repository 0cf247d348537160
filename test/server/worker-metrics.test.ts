import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from 'prom-client'
import { Diagnostics } from '../../src/core/diagnostics.ts'
import { createMetrics, metricsText } from '../../src/server/metrics.ts'
import { WorkerMetrics } from '../../src/server/worker-metrics.ts'

/** One worker's metrics, with a histogram as others may add. */
function worker(refusals: number, openRequests: number, seconds: number) {
  const diagnostics = new Diagnostics(() => {})
  diagnostics.count('refused', { reason: 'draining' }, refusals)
  const queues = [{ recorder: 'store', records: openRequests * 10 }]
  const metrics = createMetrics({ diagnostics, gateway: { openRequests, queues } })
  const { registry } = metrics
  new Histogram({ name: 'took', help: '-', buckets: [1, 2], registers: [registry] }).observe(
    seconds,
  )
  return metrics.snapshot()
}

test('what workers count is added up; a dead one’s counts stay, its gauges go', async () => {
  const all = new WorkerMetrics(createMetrics({ diagnostics: new Diagnostics(() => {}) }))
  all.take(1, await worker(3, 4, 0.5))
  all.take(2, await worker(5, 6, 1.5))
  const lines = async () => (await metricsText(await all.sum())).text.split('\n')
  const before = await lines()
  for (const line of [
    'sluice_refused_total{reason="draining"} 8',
    'sluice_open_streams 10',
    'sluice_recorder_queue_records{recorder="store"} 100',
    'took_bucket{le="1"} 1',
    'took_bucket{le="+Inf"} 2',
    'took_sum 2',
    'sluice_worker_deaths_total 0',
  ])
    assert.ok(before.includes(line), `${line}\n${before.join('\n')}`)

  all.bury(1)
  all.bury(2)
  all.take(3, await worker(1, 2, 0.5))
  const after = await lines()
  for (const line of [
    'sluice_refused_total{reason="draining"} 9',
    'sluice_open_streams 2',
    'sluice_recorder_queue_records{recorder="store"} 20',
    'took_bucket{le="1"} 2',
    'took_count 3',
    'sluice_worker_deaths_total 2',
  ])
    assert.ok(after.includes(line), `${line}\n${after.join('\n')}`)
})
