import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

/** How the process itself is. With workers all are added up, or the one that is worst off is told. */
export function processMetrics(registry: Registry): void {
  const registers = [registry]
  const gauge = (
    name: string,
    help: string,
    value: () => number,
    aggregator: 'sum' | 'min' | 'max' = 'sum',
  ) =>
    new Gauge({
      name,
      help,
      aggregator,
      registers,
      collect() {
        this.set(value())
      },
    })
  const memory = perSecond(() => process.memoryUsage())
  gauge('process_resident_memory_bytes', 'Memory in RAM', () => memory().rss)
  gauge('nodejs_heap_size_used_bytes', 'Memory of JavaScript objects', () => memory().heapUsed)
  gauge('nodejs_external_memory_bytes', 'Memory of buffers and the like', () => memory().external)
  const startedAt = Date.now() / 1000 - process.uptime()
  gauge('process_start_time_seconds', 'When it was started', () => startedAt, 'min')
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system',
    registers,
    collect() {
      this.reset()
      const { user, system } = process.cpuUsage()
      this.inc((user + system) / 1e6)
    },
  })
  eventLoopDelay(registry)
  new Gauge({
    name: 'sluice_build_info',
    help: 'Versions of Sluice and Node',
    labelNames: ['version', 'node'],
    // One service, however many processes.
    aggregator: 'max',
    registers,
  }).set({ version: ownVersion(), node: process.versions.node }, 1)
}

const beatMs = 20
/** How long a figure of the delay looks back, at least, in ms. */
const windowMs = 15_000

/** How late timers are: what a thread that is busy adds to everything. */
function eventLoopDelay(registry: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: beatMs })
  histogram.enable()
  let since = performance.now()
  new Gauge({
    name: 'sluice_event_loop_delay_seconds',
    help: 'How late timers came in the last seconds, of the process that is worst off',
    // Not `quantile`: that is a summary's.
    labelNames: ['percentile'],
    aggregator: 'max',
    registers: [registry],
    collect() {
      for (const percentile of [50, 99, 100]) {
        const nanoseconds = percentile === 100 ? histogram.max : histogram.percentile(percentile)
        this.set({ percentile }, delaySeconds(nanoseconds))
      }
      if (performance.now() - since < windowMs) return
      since = performance.now()
      histogram.reset()
    },
  })
}

/** The histogram tells how far its timer's beats are apart; before the first beat it tells nonsense. */
function delaySeconds(nanoseconds: number): number {
  const seconds = (nanoseconds / 1e6 - beatMs) / 1000
  return Number.isFinite(seconds) && seconds < 86_400 ? Math.max(0, seconds) : 0
}

/** Several gauges are of one moment, for which the system is asked once. */
function perSecond<T>(read: () => T): () => T {
  let value = read()
  let at = performance.now()
  return () => {
    if (performance.now() - at < 1000) return value
    at = performance.now()
    value = read()
    return value
  }
}

function ownVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
