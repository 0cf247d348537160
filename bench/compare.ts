import { startServer } from './server-process.ts'
import { startTarget, type Target, type TargetName, upstreamFile } from './targets.ts'
import type { Pace, Sample, Workload } from './workloads.ts'

export interface CompareOptions extends Pace {
  readonly workloads: readonly Workload[]
  readonly rounds: number
  readonly onSample: (workload: Workload, target: TargetName, sample: Sample) => void
}

/** Of each workload the samples of each target, by round. */
export type Samples = ReadonlyMap<Workload, ReadonlyMap<TargetName, readonly Sample[]>>

/** Measures the targets in turn, round by round, so that what else the machine does meets all alike. */
export async function compare(options: CompareOptions): Promise<Samples> {
  const { workloads, rounds, onSample, ...pace } = options
  const upstream = await startServer('load', [upstreamFile])
  const kept = new Map<TargetName, Target>()
  const result = new Map<Workload, Map<TargetName, Sample[]>>()

  const running = async (name: TargetName) => {
    const target = kept.get(name) ?? (await startTarget(name, upstream))
    kept.set(name, target)
    return target
  }
  const sample = async (workload: Workload, name: TargetName) => {
    if (!workload.fresh) return workload.measure(await running(name), pace)
    const target = await startTarget(name, upstream)
    const measured = await workload.measure(target, pace)
    await target.stop()
    return measured
  }

  for (const workload of workloads) {
    const { targets } = workload
    const samples = new Map<TargetName, Sample[]>(targets.map((name) => [name, []]))
    result.set(workload, samples)
    if (!workload.fresh) await warmUp(workload, await Promise.all(targets.map(running)), pace)
    for (let round = 0; round < Math.min(rounds, workload.rounds ?? rounds); round++) {
      for (let turn = 0; turn < targets.length; turn++) {
        // Another one begins in each round.
        const name = targets[(turn + round) % targets.length] ?? 'raw'
        const measured = await sample(workload, name)
        samples.get(name)?.push(measured)
        onSample(workload, name, measured)
      }
    }
  }
  for (const target of kept.values()) await target.stop()
  return result
}

async function warmUp(workload: Workload, targets: readonly Target[], pace: Pace): Promise<void> {
  const { warmUpSeconds = 0 } = workload
  if (warmUpSeconds === 0) return
  for (const target of targets) await workload.measure(target, { ...pace, seconds: warmUpSeconds })
}
