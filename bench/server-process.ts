import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

/** The load generator and the upstream share one CPU, what is measured has another. */
export type Place = 'load' | 'measured'

export interface ServerProcess {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Pinned only where there is a CPU for each. */
const pinned = process.platform === 'linux' && availableParallelism() >= 2
const cpus: Readonly<Record<Place, string>> = { load: '0', measured: '1' }
const running = new Set<ChildProcess>()

/** Starts Node with these arguments as a server; ready when it says where it listens. */
export async function startServer(place: Place, args: readonly string[]): Promise<ServerProcess> {
  const node = [process.execPath, ...args]
  const [command = '', ...rest] = pinned ? ['taskset', '-c', cpus[place], ...node] : node
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  const port = await listeningPort(child)
  return { port, pid: child.pid ?? 0, stop: () => stop(child) }
}

/** Pins this process, too. */
export function pinLoad(): void {
  if (pinned) execFileSync('taskset', ['-acp', cpus.load, String(process.pid)], { stdio: 'ignore' })
}

export async function stopServers(): Promise<void> {
  await Promise.all([...running].map(stop))
}

async function listeningPort(child: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    const port = /^listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1]
    if (port !== undefined) return Number(port)
  }
  throw new Error(`a server of the bench ended before it listened: ${child.spawnargs.join(' ')}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}
