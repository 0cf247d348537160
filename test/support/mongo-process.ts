import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export interface Command {
  readonly program: string
  readonly args: (port: number, dataFolder: string) => readonly string[]
}

/** A database server as a child process on a port of its own. */
export class MongoProcess {
  readonly #command: Command
  readonly #data: string
  #child: ChildProcess | undefined
  port = 0

  constructor(command: Command, dataFolder: string) {
    this.#command = command
    this.#data = dataFolder
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    this.port ||= await freePort()
    const { program, args } = this.#command
    const child = spawn(program, args(this.port, this.#data), { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        said = (said + text).slice(-4000)
      })
    // A test process that fails must not leave its server behind.
    process.once('exit', () => child.kill('SIGKILL'))
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${code} before it listened:\n${said}`)
    })
    const stop = new AbortController()
    await Promise.race([failed, accepts(this.port, stop.signal)]).finally(() => stop.abort())
    failed.catch(() => {})
  }

  send(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
}

/** Not every server says when it listens, so we knock. */
async function accepts(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return
    await pause(50)
  }
}
