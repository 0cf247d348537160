import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessUsage {
  /** User and system time since the start; the kernel counts in steps of 10 ms. */
  readonly cpuMs: number
  readonly rssMiB: number
}

/** What a process and its descendants use; Linux only. */
export function processUsage(pid: number): ProcessUsage {
  let cpuMs = 0
  let rssMiB = 0
  for (const each of tree(pid)) {
    const stat = read(`/proc/${each}/stat`)
    // The name in brackets may hold spaces; utime and stime are the 12th and 13th fields after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    cpuMs += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10
    rssMiB += Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${each}/status`))?.[1] ?? 0) / 1024
  }
  return { cpuMs, rssMiB }
}

function tree(pid: number): number[] {
  const pids = [pid]
  for (const each of pids) {
    for (const task of tasks(each)) {
      const children = read(`/proc/${each}/task/${task}/children`).split(' ').filter(Boolean)
      pids.push(...children.map(Number))
    }
  }
  return pids
}

function tasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** Nothing where the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
