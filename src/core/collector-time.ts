import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'

/** Pauses of the garbage collector in this thread that are long enough to be taken for something else, in ms. */
const pauses: { readonly from: number; readonly to: number }[] = []
const leastMs = 1
const kept = 1000

let observer: PerformanceObserver | null = null

/** From now on; a call more does nothing. */
export function watchCollector(): void {
  if (observer) return
  observer = new PerformanceObserver((list) => note(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
}

/**
 * How much of a time, in ms by `performance.now()`, the collector took. Node tells of a pause in the turn of the loop
 * after it: ask from a `setImmediate`.
 */
export function collectorTime(from: number, to: number): number {
  if (observer) note(observer.takeRecords())
  let sum = 0
  for (const pause of pauses) {
    sum += Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from))
  }
  return sum
}

function note(entries: readonly PerformanceEntry[]): void {
  for (const { startTime, duration } of entries) {
    if (duration >= leastMs) pauses.push({ from: startTime, to: startTime + duration })
  }
  if (pauses.length > kept) pauses.splice(0, pauses.length - kept)
}
