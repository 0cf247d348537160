import cluster from 'node:cluster'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Diagnostics } from '../core/diagnostics.ts'
import { SluiceError } from '../core/errors.ts'
import { within } from '../core/within.ts'
import type { Config } from './config.ts'
import { forwardLines } from './forward-lines.ts'
import { listen } from './listen.ts'
import type { Logger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { packConfig } from './packed-config.ts'
import type { WorkerMessage } from './worker-messages.ts'
import { WorkerMetrics } from './worker-metrics.ts'
import { type WorkerListener, WorkerProcess } from './worker-process.ts'

export interface WorkersOptions {
  readonly config: Config
  readonly logger: Logger
  readonly diagnostics: Diagnostics
}

/** A worker that lived as long is replaced at once; one that did not, after a pause that grows. */
const longLifeMs = 10_000
const firstPauseMs = 500
const longestPauseMs = 30_000
/** A worker that is to stop and does not is killed so long after `drain-timeout`. */
const stopGraceMs = 60_000

/**
 * The primary of several processes that serve one port and one store. It serves nobody and opens no store: it
 * takes the signals, owns the configuration, the log and the metrics, replaces a worker that dies, has what that
 * left open ended, and names the one that does what one process alone does.
 */
export class Workers implements WorkerListener {
  readonly #options: WorkersOptions
  #config: Config
  readonly #metrics: WorkerMetrics
  readonly #living = new Set<WorkerProcess>()
  readonly #pauses = new Set<NodeJS.Timeout>()
  readonly #watches = new Set<() => void>()
  #port: number
  /** The first one serves, or did. */
  #begun = false
  #leader: WorkerProcess | undefined
  /** Dead processes whose open interceptions nobody was told to end yet. */
  #unreaped: string[] = []
  #shortLives = 0
  #stopping = false
  #disorder = false

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#config = options.config
    this.#metrics = new WorkerMetrics(createMetrics({ diagnostics: options.diagnostics }))
    this.#port = options.config.port
  }

  /** Resolves with the URL when all serve, or have tried to; rejects where the first one can't. */
  async start(): Promise<string> {
    cluster.setupPrimary({
      exec: fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url)),
      args: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const { host, port, workers } = this.#options.config
    // All have to ask for the same one, also those that come when all others are dead.
    if (port === 0) this.#port = await freePort(host)
    // It alone at first: what keeps one from starting would be told by all.
    const first = this.#fork()
    const url = await this.#started(first)
    if (this.#stopping) return never()
    if (url === undefined)
      throw new SluiceError(first.fault ?? `the first worker ${first.exit}`, { code: 'ERR_WORKER' })
    const others = Array.from({ length: workers - 1 }, () => this.#fork())
    await Promise.all(others.map((worker) => this.#started(worker)))
    return this.#stopping ? never() : url
  }

  /** The present one. */
  get config(): Config {
    return this.#config
  }

  /** All go on by it, and those that are still to come. */
  reload(config: Config): void {
    this.#config = config
    this.#options.logger.setLevel(config.logLevel)
    for (const worker of this.#living) worker.send({ type: 'reload', config: packConfig(config) })
  }

  /** All refuse new requests, finish what runs and end. Rejects where one could not do so in order. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const pause of this.#pauses) clearTimeout(pause)
    for (const worker of this.#living) worker.send({ type: 'stop' })
    const gone = this.#until(() => this.#living.size === 0)
    if (!(await within(gone, this.#options.config.drainTimeout + stopGraceMs))) {
      this.kill()
      await gone
    }
    if (this.#disorder)
      throw new SluiceError('not all workers ended in order', { code: 'ERR_WORKER' })
  }

  /** At once, with all that runs. */
  kill(): void {
    this.#stopping = true
    for (const worker of this.#living) worker.kill()
  }

  onMessage(message: WorkerMessage, worker: WorkerProcess): void {
    if (message.type === 'hello') worker.processId = message.processId
    else if (message.type === 'failed') worker.fault = message.message
    else if (message.type === 'ready') this.#ready(worker, message.url)
    else void this.#count(worker, message)
    this.#look()
  }

  onExit(worker: WorkerProcess): void {
    this.#living.delete(worker)
    if (this.#leader === worker) this.#leader = undefined
    // One that is stopped before it has begun is simply gone.
    if (this.#stopping) this.#disorder ||= worker.exitCode !== 0 && worker.url !== undefined
    else if (this.#begun) this.#replace(worker)
    this.#look()
  }

  #fork(): WorkerProcess {
    const { logger } = this.#options
    const worker = new WorkerProcess(this)
    this.#living.add(worker)
    forwardLines(worker.stderr, logger.writer)
    worker.send({
      type: 'serve',
      config: packConfig({ ...this.#config, port: this.#port }),
      first: !this.#begun,
    })
    return worker
  }

  #ready(worker: WorkerProcess, url: string): void {
    this.#begun = true
    worker.url = url
    worker.readyAt = performance.now()
    this.#delegate()
  }

  /** Names the one that leads, and has ended what dead ones left open, as soon as there is somebody to do it. */
  #delegate(): void {
    if (!this.#leader) {
      this.#leader = this.#living.values().find(({ url }) => url !== undefined)
      this.#leader?.send({ type: 'lead' })
    }
    if (!this.#leader || this.#unreaped.length === 0) return
    this.#leader.send({ type: 'reap', processIds: this.#unreaped })
    this.#unreaped = []
  }

  async #count(
    worker: WorkerProcess,
    { snapshot, ask }: Extract<WorkerMessage, { type: 'metrics' }>,
  ): Promise<void> {
    // A dead one's are buried.
    if (this.#living.has(worker)) this.#metrics.take(worker.id, snapshot)
    if (ask !== undefined)
      worker.send({ type: 'metrics', ask, snapshot: await this.#metrics.sum() })
  }

  #replace(worker: WorkerProcess): void {
    this.#metrics.bury(worker.id)
    if (worker.processId !== undefined) this.#unreaped.push(worker.processId)
    this.#delegate()
    const pause = this.#pauseAfter(worker)
    const then = pause === 0 ? 'another takes its place' : `another follows in ${pause / 1000} s`
    const what = worker.fault ?? `it ${worker.exit}`
    this.#options.diagnostics.log('error', `a worker is gone, ${then}: ${what}`)
    const timer = setTimeout(() => {
      this.#pauses.delete(timer)
      this.#fork()
    }, pause)
    this.#pauses.add(timer)
  }

  /** None after a long life or a first short one; then longer and longer, until one lives on. */
  #pauseAfter({ readyAt = Number.POSITIVE_INFINITY }: WorkerProcess): number {
    if (performance.now() - readyAt >= longLifeMs) {
      this.#shortLives = 0
      return 0
    }
    this.#shortLives++
    if (this.#shortLives === 1) return 0
    return Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#shortLives - 2))
  }

  /** The URL where it serves; undefined where it ended before. */
  async #started(worker: WorkerProcess): Promise<string | undefined> {
    await this.#until(() => worker.url !== undefined || worker.exit !== undefined)
    return worker.url
  }

  #until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => {
        if (!test()) return
        this.#watches.delete(watch)
        resolve()
      }
      this.#watches.add(watch)
      watch()
    })
  }

  #look(): void {
    for (const watch of this.#watches) watch()
  }
}

/** Whoever stops them while they start has nobody to tell where they serve. */
function never(): Promise<string> {
  return new Promise(() => {})
}

/** One that was free a moment ago. */
async function freePort(host: string): Promise<number> {
  const { server, url } = await listen({
    host,
    port: 0,
    onRequest: () => {},
    onUpgrade: () => false,
  })
  const closed = once(server, 'close')
  server.close()
  await closed
  return Number(new URL(url).port)
}
