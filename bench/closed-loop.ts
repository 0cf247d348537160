import { type AnswerSpec, answerTo } from './answers.ts'
import { Connection, type Exchanged } from './connection.ts'
import { median } from './median.ts'
import { processUsage } from './process-usage.ts'
import type { Target } from './targets.ts'

export interface LoopOptions {
  readonly spec: AnswerSpec
  readonly kibibytes: number
  readonly concurrency: number
  /** Ends by whichever comes first. */
  readonly seconds: number
  readonly requests: number
}

export interface LoopResult {
  readonly perSecond: number
  readonly cpuUsPerRequest: number
  readonly firstByteP50Ms: number
  readonly replies: number
  readonly faults: readonly string[]
}

/** Each connection sends its next request when the last reply has ended. */
export async function closedLoop(target: Target, options: LoopOptions): Promise<LoopResult> {
  const { spec, kibibytes, concurrency, seconds, requests } = options
  const request = target.request(spec, kibibytes)
  const expected = answerTo(spec).body
  const connections = Array.from({ length: concurrency }, () => new Connection(target.port))
  const exchanges: Exchanged[] = []
  const started = performance.now()
  const before = processUsage(target.pid)
  let sent = 0

  const work = async (connection: Connection) => {
    while (sent < requests && performance.now() - started < seconds * 1000) {
      sent++
      exchanges.push(await connection.exchange(request, expected))
    }
  }
  const close = () => {
    for (const connection of connections) connection.close()
  }
  // A reply that never ends counts as one that was cut.
  const limit = setTimeout(close, seconds * 1000 + 10_000)
  await Promise.all(connections.map(work))
  clearTimeout(limit)
  const tookMs = performance.now() - started
  const cpuMs = processUsage(target.pid).cpuMs - before.cpuMs
  close()

  const right = exchanges.filter(({ fault }) => fault === null)
  return {
    perSecond: (right.length / tookMs) * 1000,
    cpuUsPerRequest: (cpuMs / right.length) * 1000,
    firstByteP50Ms: median(right.map(({ firstByteMs }) => firstByteMs)),
    replies: right.length,
    faults: exchanges.flatMap(({ fault }) => fault ?? []),
  }
}
