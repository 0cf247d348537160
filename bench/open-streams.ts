import { setTimeout as sleep } from 'node:timers/promises'
import { type AnswerSpec, answerTo } from './answers.ts'
import { Connection } from './connection.ts'
import { processUsage } from './process-usage.ts'
import type { Target } from './targets.ts'

export interface StreamsOptions {
  /** Long enough to last beyond the window. */
  readonly spec: AnswerSpec
  readonly kibibytes: number
  readonly streams: number
  /** Over which they are opened. */
  readonly rampSeconds: number
  /** In which they are watched, all of them open. */
  readonly windowSeconds: number
}

export interface StreamsResult {
  readonly cpuUsPerEvent: number
  readonly eventsPerSecond: number
  /** The highest while all were open. */
  readonly rssMiB: number
  readonly faults: readonly string[]
}

/** Streams that go on slowly, side by side; watched for a while, then dropped. */
export async function openStreams(target: Target, options: StreamsOptions): Promise<StreamsResult> {
  const { spec, kibibytes, streams, rampSeconds, windowSeconds } = options
  const request = target.request(spec, kibibytes)
  const { body } = answerTo(spec)
  const faults: string[] = []
  const connections: Connection[] = []
  let dropping = false
  const began = performance.now()
  while (connections.length < streams) {
    const connection = new Connection(target.port)
    connections.push(connection)
    void connection.exchange(request, body).then(({ fault }) => {
      if (!dropping) faults.push(fault ?? 'a stream ended too early')
    })
    const due = began + (connections.length / streams) * rampSeconds * 1000
    if (due > performance.now() + 5) await sleep(due - performance.now())
  }
  const opened = () => connections.every(({ healthy }) => healthy)
  while (!opened() && performance.now() - began < longestOpening) await sleep(50)
  await sleep(500)

  const received = () => connections.reduce((sum, connection) => sum + connection.received, 0)
  const [from, before, start] = [received(), processUsage(target.pid), performance.now()]
  let rssMiB = before.rssMiB
  while (performance.now() - start < windowSeconds * 1000) {
    await sleep(250)
    rssMiB = Math.max(rssMiB, processUsage(target.pid).rssMiB)
  }
  const events = (received() - from) / (body.length / spec.events)
  const cpuMs = processUsage(target.pid).cpuMs - before.cpuMs
  const seconds = (performance.now() - start) / 1000
  const sick = connections.filter(({ healthy }) => !healthy).length
  dropping = true
  for (const connection of connections) connection.close()
  return {
    cpuUsPerEvent: (cpuMs / events) * 1000,
    eventsPerSecond: events / seconds,
    rssMiB,
    faults: sick > 0 ? [...faults, `${sick} streams were not open and right`] : faults,
  }
}

const longestOpening = 20_000
