import cluster, { type Worker } from 'node:cluster'
import type { Readable } from 'node:stream'
import { watchHandedConnections } from './handed-connections.ts'
import type { PrimaryMessage, WorkerMessage } from './worker-messages.ts'

export interface WorkerListener {
  onMessage(message: WorkerMessage, worker: WorkerProcess): void
  /** It is gone, and so are its messages. */
  onExit(worker: WorkerProcess): void
}

/** One life of a worker, as the primary sees it. */
export class WorkerProcess {
  /** Unique among all workers there were. */
  readonly id: number
  /** What its interceptions are stamped with, once it has said so. */
  processId: string | undefined
  /** Where it serves, once it does. */
  url: string | undefined
  readyAt: number | undefined
  /** Why it could not begin to serve. */
  fault: string | undefined
  /** How it ended, in words. */
  exit: string | undefined
  exitCode: number | null = null
  readonly stderr: Readable
  readonly #worker: Worker

  constructor(listener: WorkerListener) {
    this.#worker = cluster.fork()
    this.id = this.#worker.id
    this.stderr = this.#worker.process.stderr as Readable
    this.#worker.on('message', (message: WorkerMessage) => listener.onMessage(message, this))
    // A message that can't be sent, because it is just dying: its exit tells the rest.
    this.#worker.on('error', () => {})
    const closeLost = watchHandedConnections(this.#worker.process)
    this.#worker.process.once('exit', closeLost)
    // Not 'exit': what it said last comes before 'close'.
    this.#worker.process.once('close', (code, signal) => {
      this.exit = signal ? `was killed by ${signal}` : `ended with code ${code}`
      this.exitCode = code
      listener.onExit(this)
    })
  }

  send(message: PrimaryMessage): void {
    if (this.#worker.isConnected()) this.#worker.send(message, () => {})
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }
}
