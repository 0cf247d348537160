import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { type GatewayProcess, startGateway, workFolder } from '../support/gateway-process.ts'

export interface UnderTestOptions {
  readonly upstream: string
  /** @default SQLite in the folder */
  readonly store?: string
  readonly folder?: string
  readonly args?: readonly string[]
}

/** A gateway that is started again and again on one port, one folder and one store. */
export class GatewayUnderTest {
  readonly port: number
  readonly folder: string
  readonly store: string
  /** Interceptions whose replies were let go unrecorded, by its log. */
  readonly released = new Set<string>()
  readonly #args: readonly string[]
  #running: GatewayProcess | undefined

  private constructor(
    port: number,
    { upstream, store, folder = workFolder(), args = [] }: UnderTestOptions,
  ) {
    this.port = port
    this.folder = folder
    this.store = store ?? `sqlite:${join(folder, 'sluice-data', 'sluice.db')}`
    this.#args = [
      ...['--port', String(port), '--store', this.store],
      ...['--anthropic-base-url', upstream, '--openai-base-url', upstream],
      ...['--chat-usage', 'ask', '--log-format', 'json', '--log-level', 'warn', ...args],
    ]
    // A rig that is stopped must not leave it behind.
    process.once('exit', () => this.#running?.child.kill('SIGKILL'))
  }

  static async create(options: UnderTestOptions): Promise<GatewayUnderTest> {
    return new GatewayUnderTest(await freePort(), options)
  }

  async start(): Promise<void> {
    this.#running = await startGateway(this.#args, { folder: this.folder })
  }

  /** Ends it by a signal, and resolves with its exit code when it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const running = this.#running
    if (!running) return null
    this.#running = undefined
    const closed = new Promise((resolve) => running.child.once('close', resolve))
    const code = await running.stop(signal)
    await closed
    this.#read(running.output().stderr)
    return code
  }

  /** The process ids of its workers. */
  get workers(): number[] {
    const pid = this.#running?.child.pid
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return children.trim().split(' ').map(Number)
  }

  /** What it takes of the memory, in MiB. */
  get resident(): number {
    const status = readFileSync(`/proc/${this.#running?.child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }

  /** Resolves with the first line of its log that matches. */
  line(pattern: RegExp): Promise<string> {
    return this.#running?.line(pattern) ?? Promise.reject(new Error('it does not run'))
  }

  /** Resolves when it says that nothing is wrong. */
  async healthy(): Promise<void> {
    for (;;) {
      const reply = await fetch(`http://127.0.0.1:${this.port}/readyz`)
      if (((await reply.json()) as { faults: unknown[] }).faults.length === 0) return
      await pause(50)
    }
  }

  #read(stderr: string): void {
    for (const line of stderr.split('\n'))
      if (line.includes('"released unrecorded"'))
        this.released.add(/"interception_id":"([^"]+)"/.exec(line)?.[1] ?? '')
  }
}
