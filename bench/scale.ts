import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../src/core/store.ts'
import { sqliteRecorder } from '../src/plugins/sqlite-recorder.ts'
import { wholeInterception } from '../test/support/stored-records.ts'
import { scaleQueries } from './scale-queries.ts'
import { seed, seedOptions } from './seed.ts'

/**
 * What a large SQLite store takes: each kind of question again and again, alone and while streams are recorded,
 * then a prune under that traffic.
 *
 *   npm run bench:scale -- [--interceptions 2000000] [--sessions N] [--dir DIR: kept, and used again]
 */
const options = seedOptions(process.argv.slice(2))
const folder = options.dir ?? mkdtempSync(join(tmpdir(), 'sluice-scale-'))
mkdirSync(folder, { recursive: true })
const path = join(folder, 'sluice.db')
try {
  seed(path, options, (line) => console.error(line))
  const recorder = sqliteRecorder({ path })
  await recorder.open()
  await measure(recorder)
  await recorder.close()
} finally {
  if (!options.dir) rmSync(folder, { recursive: true, force: true })
}

async function measure(recorder: Store): Promise<void> {
  const { count } = await recorder.interceptions({ limit: 1 })
  const bytes = Math.round(statSync(path).size / count)
  console.log(`${count} interceptions of six records, ${bytes} bytes each`)
  const queries = await scaleQueries(recorder)
  console.log('\nalone: p50, p95 in ms')
  for (const { name, run } of queries) console.log(line(name, await times(run, 20)))

  const traffic = recordAll(recorder, 300)
  console.log('\nwhile 300 interceptions/s are recorded: p50, p95 in ms')
  for (const { name, run } of queries) console.log(line(name, await times(run, 10)))
  console.log(line('a commit of six records', traffic.waits.splice(0)))

  const before = new Date(Date.parse(await startOf(recorder, Math.round(count / 10)))).toISOString()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const began = performance.now()
  const { interceptions } = await recorder.prune({ before })
  const seconds = (performance.now() - began) / 1000
  delay.disable()
  console.log(`\nprune of ${interceptions} under that traffic: ${seconds.toFixed(1)} s`)
  console.log(line('a commit of six records meanwhile', traffic.waits.splice(0)))
  console.log(
    `event-loop delay of the main thread p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
  )
  await traffic.stop()
}

async function startOf(recorder: Store, offset: number): Promise<string> {
  const { results } = await recorder.interceptions({ sort: 'oldest', offset, limit: 1 })
  return results[0]?.start.startedAt ?? new Date(0).toISOString()
}

/** Interceptions one by one, each a batch of its own, as when few streams end at once. */
function recordAll(recorder: Store, perSecond: number) {
  const waits: number[] = []
  let stopped = false
  const done = (async () => {
    const began = performance.now()
    for (let sent = 0; !stopped; sent++) {
      const early = began + (sent * 1000) / perSecond - performance.now()
      if (early > 1) await pause(early)
      const now = new Date().toISOString()
      const records = wholeInterception({ startedAt: now }).slice(0, 8)
      const at = performance.now()
      await recorder.record(records)
      waits.push(performance.now() - at)
    }
  })()
  return {
    waits,
    async stop() {
      stopped = true
      await done
    },
  }
}

async function times(run: () => Promise<unknown>, rounds: number): Promise<number[]> {
  const taken: number[] = []
  await run()
  for (let round = 0; round < rounds; round++) {
    const at = performance.now()
    await run()
    taken.push(performance.now() - at)
  }
  return taken
}

function line(name: string, taken: readonly number[]): string {
  const sorted = taken.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1)
  return `${name.padEnd(60)} ${at(0.5).padStart(8)} ${at(0.95).padStart(8)} worst ${at(1)}`
}
