import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf, SluiceError } from '../../core/errors.ts'
import type { Reply } from './serve.ts'

const tasks = { writer: 'writes', reader: 'reads', keeper: 'keeps' } as const

/** What the thread is given; `path` names it in errors. */
interface WorkerOptions {
  readonly path: string
  readonly [option: string]: unknown
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

/** One life of a worker, and who waits for it. */
interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting>
}

/**
 * A worker thread with the database, as the main thread sees it. Calls are answered in order. One that
 * dies fails the calls that wait for it; the next call starts another.
 */
export class StoreWorker {
  readonly #role: keyof typeof tasks
  readonly #options: WorkerOptions
  readonly #script: URL
  #thread: Thread | undefined
  #lastId = 0

  constructor(
    role: keyof typeof tasks,
    options: WorkerOptions,
    // tsc rewrites the endings of imports, not of a worker's URL.
    script: URL = new URL(`./${role}${extname(import.meta.url)}`, import.meta.url),
  ) {
    this.#role = role
    this.#options = options
    this.#script = script
  }

  async call<Result>(method: string, argument?: unknown): Promise<Result> {
    this.#thread ??= this.#start()
    return (await this.#ask(this.#thread, method, argument)) as Result
  }

  /** Ends the thread once all calls so far are answered. */
  async close(): Promise<void> {
    const thread = this.#thread
    if (!thread) return
    this.#thread = undefined
    try {
      await this.#ask(thread, 'close')
    } finally {
      await thread.worker.terminate()
    }
  }

  #ask({ worker, waiting }: Thread, method: string, argument?: unknown): Promise<unknown> {
    const id = ++this.#lastId
    const result = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }))
    // Only a call that waits keeps the process alive.
    worker.ref()
    worker.postMessage({ id, method, argument })
    return result
  }

  #start(): Thread {
    const worker = new Worker(this.#script, {
      name: `sluice ${this.#role}`,
      workerData: this.#options,
      // The host's own flags are not for this thread: one given `--input-type` would not start.
      execArgv: [],
    })
    const thread: Thread = { worker, waiting: new Map() }
    let fault: unknown
    worker.on('message', (reply: Reply) => answer(thread, reply))
    worker.on('error', (error) => {
      fault = error
    })
    worker.on('exit', () => this.#gone(thread, fault))
    return thread
  }

  #gone(thread: Thread, fault: unknown): void {
    if (this.#thread === thread) this.#thread = undefined
    const why = fault === undefined ? 'it ended' : messageOf(fault)
    const error = new SluiceError(
      `the thread that ${tasks[this.#role]} ${this.#options.path} died: ${why}; the next call starts another`,
      { code: 'ERR_STORE_WORKER', cause: fault },
    )
    for (const { reject } of thread.waiting.values()) reject(error)
  }
}

function answer({ worker, waiting }: Thread, reply: Reply): void {
  const call = waiting.get(reply.id)
  waiting.delete(reply.id)
  if (waiting.size === 0) worker.unref()
  if ('error' in reply) call?.reject(new SluiceError(reply.error.message, reply.error))
  else call?.resolve(reply.result)
}
