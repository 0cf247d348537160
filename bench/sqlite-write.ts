import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { InterceptionRecord } from '../src/core/records.ts'
import { sqliteRecorder } from '../src/plugins/sqlite-recorder.ts'
import { wholeInterception } from '../test/support/stored-records.ts'

/**
 * The write path: interceptions of six records each into SQLite, batch after batch as the recorder's
 * queue gives them, while the main thread's delay is watched.
 *
 *   node bench/sqlite-write.ts [--interceptions 30000] [--batch 300] [--synchronous full] [--dir DIR]
 */
const { values } = parseArgs({
  options: {
    interceptions: { type: 'string', default: '30000' },
    batch: { type: 'string', default: '300' },
    synchronous: { type: 'string', default: 'full' },
    dir: { type: 'string', default: tmpdir() },
  },
})
const interceptions = Number(values.interceptions)
const batch = Number(values.batch)
const perInterception = 6

const folder = mkdtempSync(join(values.dir, 'sluice-bench-'))
const path = join(folder, 'sluice.db')
const recorder = sqliteRecorder({
  path,
  synchronous: values.synchronous === 'normal' ? 'normal' : 'full',
})
try {
  await recorder.open()
  await write(2000)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const before = process.cpuUsage()
  const { seconds, waits } = await write(interceptions)
  const cpu = process.cpuUsage(before)
  delay.disable()
  await recorder.close()
  const bytes = statSync(path).size / (interceptions + 2000)
  console.log(
    [
      `${Math.round(interceptions / seconds)} interceptions/s`,
      `wait for a batch p50 ${percentile(waits, 50)} ms, p99 ${percentile(waits, 99)} ms, worst ${percentile(waits, 100)} ms`,
      `event loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
      `${Math.round((cpu.user + cpu.system) / interceptions)} µs CPU and ${Math.round(bytes)} bytes per interception`,
    ].join('\n'),
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function write(count: number): Promise<{ seconds: number; waits: number[] }> {
  const waits: number[] = []
  let made: InterceptionRecord[] = []
  const started = performance.now()
  for (let index = 0; index < count; index++) {
    made.push(...sixRecords())
    if (made.length < batch && index < count - 1) continue
    const at = performance.now()
    await recorder.record(made)
    waits.push(performance.now() - at)
    made = []
  }
  return { seconds: (performance.now() - started) / 1000, waits }
}

/** Start, prompt, two tool calls, usage, end. */
function sixRecords(): InterceptionRecord[] {
  return wholeInterception()
    .filter(({ type }) => type !== 'tool_result' && type !== 'model_thought')
    .slice(0, perInterception)
}

function percentile(samples: readonly number[], percent: number): string {
  const sorted = samples.toSorted((a, b) => a - b)
  const index = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))
  return (sorted[index] ?? 0).toFixed(1)
}
