import type { Samples } from './compare.ts'
import { median, spread } from './median.ts'
import type { TargetName } from './targets.ts'
import type { Goal, Sample, Workload } from './workloads.ts'

/** One line of the result. */
export interface Row {
  readonly workload: string
  readonly title: string
  readonly target: TargetName
  readonly unit: string
  /** The median of what was measured. */
  readonly value: number
  /** What is held against the goal, see `Workload.judged`: the median of the rounds. */
  readonly figure: number
  readonly judged: Workload['judged']
  /** Of the figure over the rounds: half the distance between the extremes, as a part of the median. */
  readonly spread: number
  readonly cpuUs: number | null
  readonly goal: Goal | null
  readonly verdict: 'aim' | 'pass' | 'fail' | null
  readonly faults: readonly string[]
}

/** Medians, figures and verdicts. */
export function rowsOf(samples: Samples): Row[] {
  return [...samples].flatMap(([workload, byTarget]) =>
    [...byTarget.keys()].map((target) => rowOf(workload, target, byTarget)),
  )
}

function rowOf(
  workload: Workload,
  target: TargetName,
  byTarget: ReadonlyMap<TargetName, readonly Sample[]>,
): Row {
  const { name, title, unit, judged, goals, better } = workload
  const own = byTarget.get(target) ?? []
  const reference = byTarget.get(judged === 'added' ? 'direct' : 'raw') ?? []
  // Paired within the round: what slows the whole machine down falls out.
  const figures = own.map(({ value }, round) => {
    const other = reference[round]?.value ?? Number.NaN
    if (judged === 'value') return value
    return judged === 'ratio' ? value / other : value - other
  })
  const goal = goals[target] ?? null
  const figure = median(figures)
  const faults = own.flatMap((sample) => sample.faults)
  const cpu = own.flatMap(({ cpuUs }) => cpuUs ?? [])
  return {
    workload: name,
    title,
    target,
    unit,
    value: median(own.map(({ value }) => value)),
    figure,
    judged,
    spread: spread(figures),
    cpuUs: cpu.length > 0 && target !== 'direct' ? median(cpu) : null,
    goal,
    verdict: faults.length > 0 ? 'fail' : goal && verdictOf(figure, goal, better),
    faults,
  }
}

function verdictOf(figure: number, { must, aim }: Goal, better: 'more' | 'less') {
  const reaches = (bound: number) => (better === 'more' ? figure >= bound : figure <= bound)
  if (reaches(aim)) return 'aim'
  return reaches(must) ? 'pass' : 'fail'
}
