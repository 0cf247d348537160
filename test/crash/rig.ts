import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Audit, audit } from './audit.ts'
import { GatewayUnderTest, type UnderTestOptions } from './gateway-under-test.ts'
import { Load, type LoadOptions } from './load.ts'

export interface Report extends Audit {
  readonly sent: number
  /** Replies that clients received whole. */
  readonly whole: number
  /** What else the scenario measured. */
  readonly figures: Readonly<Record<string, number>>
}

export interface Rig {
  readonly gateway: GatewayUnderTest
  readonly load: Load
}

export interface RigOptions extends Partial<UnderTestOptions>, Omit<LoadOptions, 'port'> {
  /** Something is killed, so that interceptions may be aborted. */
  readonly killed: boolean
}

/**
 * Runs a gateway, its provider and its clients, does to them what the scenario says, ends them all, and audits
 * what is left. The scenario resolves with figures of its own.
 */
export async function runRig(
  { killed, clients, pace, atMost, ...options }: RigOptions,
  scenario: (rig: Rig) => Promise<Record<string, number>>,
): Promise<Report> {
  const simulator = startSimulator()
  const [upstream] = await once(simulator.stdout as NodeJS.ReadableStream, 'data')
  const gateway = await GatewayUnderTest.create({ ...options, upstream: String(upstream).trim() })
  const load = new Load({
    port: gateway.port,
    ...(clients !== undefined && { clients }),
    ...(pace !== undefined && { pace }),
    ...(atMost !== undefined && { atMost }),
  })
  try {
    await gateway.start()
    load.start()
    const figures = await scenario({ gateway, load })
    await load.stop()
    await gateway.end('SIGTERM')
    const found = await audit(load, gateway, { killed })
    const { sent, whole } = load
    // What was lost is to be looked into.
    if (found.losses.length === 0 && !options.folder)
      rmSync(gateway.folder, { recursive: true, force: true })
    return { ...found, sent, whole, figures: { refused: load.refused, ...figures } }
  } finally {
    await gateway.end('SIGKILL')
    await load.stop()
    simulator.kill('SIGKILL')
  }
}

function startSimulator(): ChildProcess {
  const script = fileURLToPath(new URL('./simulator-process.ts', import.meta.url))
  return spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
}
