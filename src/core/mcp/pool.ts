import type { Diagnostics } from '../diagnostics.ts'
import type { Initiator } from '../interception.ts'
import type { SafeSpan } from '../tracing/safe-span.ts'
import { newsOnly, type Tell } from './news.ts'
import type { McpServerOptions } from './server-options.ts'
import { Toolbox } from './toolbox.ts'

export interface PoolOptions {
  readonly servers: Readonly<Record<string, McpServerOptions>>
  readonly prefix: string
  /** How long a toolbox is given out, in ms from its making: then tokens are asked for anew. */
  readonly ttl: number
  /** How many toolboxes are kept. */
  readonly size: number
  /** For each server, in ms. */
  readonly connectTimeout: number
  /** What one message of a server may have. */
  readonly maxBytes: number
  readonly diagnostics: Diagnostics
}

/** A toolbox that nobody closes until it is given back. */
export interface Lease {
  readonly toolbox: Toolbox
  release(): void
}

interface Entry {
  readonly toolbox: Toolbox
  readonly ready: Promise<void>
  readonly expiresAt: number
  users: number
  /** No longer given out: closed when its last user gives it back. */
  retired: boolean
}

/** Toolboxes by initiator and key: connections are somebody's own, and nobody else's requests go over them. */
export class ToolboxPool {
  readonly #options: PoolOptions
  readonly #log: Tell
  /** The one used longest ago comes first. */
  readonly #entries = new Map<string, Entry>()
  readonly #closing = new Set<Promise<void>>()
  #sweep: NodeJS.Timeout | undefined
  #size: number
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#log = newsOnly(options.diagnostics.log)
    this.#size = options.size
  }

  /** Waits for a new toolbox's servers, each of which has its time-out. Rejects when `signal` aborts. */
  async acquire(
    initiator: Initiator,
    key: string,
    signal: AbortSignal,
    span: SafeSpan | null = null,
  ): Promise<Lease> {
    signal.throwIfAborted()
    if (this.#closed) throw new Error('the pool of toolboxes is closed')
    const name = JSON.stringify([initiator.id, key])
    const entry = this.#fresh(name) ?? this.#add(name, initiator, span)
    entry.users++
    let given = false
    const release = () => {
      if (given) return
      given = true
      entry.users--
      if (entry.retired) this.#closeIdle(entry)
      else this.#trim()
    }
    try {
      await unlessAborted(entry.ready, signal)
    } catch (error) {
      release()
      throw error
    }
    return { toolbox: entry.toolbox, release }
  }

  get size(): number {
    return this.#entries.size
  }

  /** Keeps none that nobody uses, from now on. Requests that began before may still ask. */
  retire(): void {
    this.#size = 0
    clearInterval(this.#sweep)
    this.#trim()
  }

  /** Closes all, also those in use. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweep)
    for (const [name, entry] of this.#entries) {
      this.#entries.delete(name)
      this.#close(entry)
    }
    await Promise.all(this.#closing)
  }

  #fresh(name: string): Entry | undefined {
    const entry = this.#entries.get(name)
    if (!entry) return undefined
    if (entry.expiresAt <= performance.now()) {
      this.#retire(name, entry)
      return undefined
    }
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    this.#count('hit')
    return entry
  }

  #add(name: string, initiator: Initiator, span: SafeSpan | null): Entry {
    const { servers, prefix, connectTimeout, maxBytes, ttl } = this.#options
    const log = this.#log
    const toolbox = new Toolbox({ servers, prefix, initiator, connectTimeout, maxBytes, log })
    const expiresAt = performance.now() + ttl
    const entry: Entry = { toolbox, ready: toolbox.init(span), expiresAt, users: 0, retired: false }
    this.#entries.set(name, entry)
    this.#count('miss')
    this.#trim(entry)
    if (this.#size > 0)
      this.#sweep ??= setInterval(() => this.#retireExpired(), Math.max(1000, ttl / 4)).unref()
    return entry
  }

  /** Over the capacity those go that nobody uses; requests that run are never refused for it. */
  #trim(kept?: Entry): void {
    for (const [name, entry] of this.#entries) {
      if (this.#entries.size <= this.#size) return
      if (entry.users === 0 && entry !== kept) this.#retire(name, entry)
    }
  }

  #retireExpired(): void {
    const now = performance.now()
    for (const [name, entry] of this.#entries) {
      if (entry.expiresAt <= now) this.#retire(name, entry)
    }
  }

  #retire(name: string, entry: Entry): void {
    this.#entries.delete(name)
    this.#count('evicted')
    entry.retired = true
    this.#closeIdle(entry)
  }

  #closeIdle(entry: Entry): void {
    if (entry.users === 0) this.#close(entry)
  }

  #close({ toolbox }: Entry): void {
    const closing = toolbox.close()
    this.#closing.add(closing)
    void closing.finally(() => this.#closing.delete(closing))
  }

  #count(event: 'hit' | 'miss' | 'evicted'): void {
    this.#options.diagnostics.count('mcp_pool', { event })
  }
}

/** The promise keeps its own way: others may wait for it, too. */
function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason)
    signal.addEventListener('abort', aborted, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  })
}
