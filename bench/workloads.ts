import type { FormatName } from '../src/core/records.ts'
import { closedLoop } from './closed-loop.ts'
import { openStreams } from './open-streams.ts'
import type { Target, TargetName } from './targets.ts'

export interface Sample {
  readonly value: number
  /** Of the target's processes, in µs per request, where requests are counted. */
  readonly cpuUs?: number
  readonly faults: readonly string[]
}

export interface Goal {
  readonly must: number
  readonly aim: number
}

export interface Workload {
  readonly name: string
  readonly title: string
  readonly unit: string
  /** What is judged: the value over that of `raw`, the value less that of `direct`, or the value itself. */
  readonly judged: 'ratio' | 'added' | 'value'
  readonly better: 'more' | 'less'
  readonly targets: readonly TargetName[]
  readonly goals: Readonly<Partial<Record<TargetName, Goal>>>
  /** The target is started anew for each sample. */
  readonly fresh?: true
  /** How long each target is run in first: code is slow until it is compiled. @default 0 */
  readonly warmUpSeconds?: number
  /** @default those of the run */
  readonly rounds?: number
  measure(target: Target, pace: Pace): Promise<Sample>
}

/** How long to look. */
export interface Pace {
  readonly format: FormatName
  /** Of a closed loop. */
  readonly seconds: number
  /** Of streams that are open. */
  readonly windowSeconds: number
}

const all: readonly TargetName[] = ['raw', 'sluice-memory', 'sluice-sqlite', 'sluice-got']
const mostRequests = 40_000

/** What a plain Node proxy costs, what Sluice costs more, and what it may cost. */
export const workloads: readonly Workload[] = [
  {
    name: 'burst',
    title: '208 events in one write, 32 clients',
    unit: 'req/s',
    judged: 'ratio',
    better: 'more',
    targets: [...all, 'sluice-observed'],
    goals: {
      'sluice-observed': { must: 0.55, aim: 0.72 },
      'sluice-memory': { must: 0.65, aim: 0.85 },
      'sluice-sqlite': { must: 0.5, aim: 0.7 },
    },
    warmUpSeconds: 8,
    measure: (target, { format, seconds }) =>
      throughput(target, { format, seconds, stream: true, events: 208 }),
  },
  {
    name: 'blocking',
    title: '2 KB answers to 4 KiB requests, 32 clients',
    unit: 'req/s',
    judged: 'ratio',
    better: 'more',
    targets: all,
    goals: { 'sluice-memory': { must: 0.6, aim: 0.8 } },
    warmUpSeconds: 8,
    measure: (target, { format, seconds }) =>
      throughput(target, { format, seconds, stream: false, events: 0 }),
  },
  {
    name: 'ttfb',
    title: 'time to the first byte, 1 client',
    unit: 'ms',
    judged: 'added',
    better: 'less',
    targets: ['direct', ...all],
    goals: { 'sluice-memory': { must: 0.6, aim: 0.4 } },
    warmUpSeconds: 1,
    async measure(target, { format, seconds }) {
      const { firstByteP50Ms, faults, cpuUsPerRequest } = await closedLoop(target, {
        spec: { format, stream: true, events: 20, delay: 0 },
        kibibytes: 4,
        concurrency: 1,
        seconds,
        requests: mostRequests,
      })
      return { value: firstByteP50Ms, cpuUs: cpuUsPerRequest, faults }
    },
  },
  {
    name: 'paced',
    title: '500 streams, an event each 50 ms',
    unit: 'µs CPU/event',
    judged: 'ratio',
    better: 'less',
    targets: ['raw', 'sluice-memory', 'sluice-got'],
    goals: { 'sluice-memory': { must: 1.5, aim: 1.25 } },
    rounds: 3,
    async measure(target, { format, windowSeconds }) {
      const { cpuUsPerEvent, faults } = await openStreams(target, {
        spec: { format, stream: true, events: 1000, delay: 50 },
        kibibytes: 4,
        streams: 500,
        rampSeconds: 1,
        windowSeconds,
      })
      return { value: cpuUsPerEvent, faults }
    },
  },
  memory('rss-4', 4),
  memory('rss-75', 75),
]

async function throughput(
  target: Target,
  options: { format: FormatName; seconds: number; stream: boolean; events: number },
): Promise<Sample> {
  const { format, seconds, stream, events } = options
  const { perSecond, cpuUsPerRequest, faults } = await closedLoop(target, {
    spec: { format, stream, events, delay: 0 },
    kibibytes: 4,
    concurrency: 32,
    seconds,
    requests: mostRequests,
  })
  return { value: perSecond, cpuUs: cpuUsPerRequest, faults }
}

function memory(name: string, kibibytes: number): Workload {
  return {
    name,
    title: `2,000 open streams, requests of ${kibibytes} KiB`,
    unit: 'MiB RSS',
    judged: 'value',
    better: 'less',
    targets: ['raw', 'sluice-memory', 'sluice-got'],
    goals: { 'sluice-memory': { must: 350, aim: 260 } },
    fresh: true,
    rounds: 2,
    async measure(target, { format, windowSeconds }) {
      // Code and heap as after some work: a process that has just started looks smaller than any in use.
      const warm = await closedLoop(target, {
        spec: { format, stream: true, events: 58, delay: 0 },
        kibibytes,
        concurrency: 16,
        seconds: 2,
        requests: 2000,
      })
      const { rssMiB, faults } = await openStreams(target, {
        spec: { format, stream: true, events: 60, delay: 1000 },
        kibibytes,
        streams: 2000,
        rampSeconds: 2,
        windowSeconds,
      })
      return { value: rssMiB, faults: [...warm.faults, ...faults] }
    },
  }
}
