import { context, ROOT_CONTEXT } from '@opentelemetry/api'
import type { Diagnostics } from './diagnostics.ts'
import { messageOf } from './errors.ts'
import { snakeKeys } from './json.ts'
import type { Plugin } from './plugin.ts'
import { dropContent, isEssential, sizeOf } from './record-content.ts'
import type { InterceptionRecord } from './records.ts'
import { isStoreFault } from './store-fault.ts'
import { within } from './within.ts'

export interface RecorderQueueOptions {
  /** Records that wait may take this many bytes. @default 64 MiB */
  readonly maxBytes?: number
  /** @default 300 */
  readonly maxBatch?: number
  /** First and longest pause between tries of a durable recorder, in ms. @default [50, 5000] */
  readonly backOff?: readonly [first: number, longest: number]
}

type Entry = { readonly position: number; record: InterceptionRecord; bytes: number; bare: boolean }
type Waiter = { position: number; resolve: () => void }

/**
 * Hands records to one recorder, one batch at a time and in order, with no timer: what piled up while a batch
 * was written is the next batch. A durable recorder's batches are tried again until they are stored; the
 * others' are dropped and counted when they fail.
 */
export class RecorderQueue {
  readonly plugin: Plugin
  /** Called after each batch that was stored. */
  onStored: () => void = () => {}
  readonly #diagnostics: Diagnostics
  readonly #maxBytes: number
  readonly #maxBatch: number
  readonly #backOff: readonly [number, number]
  #entries: Entry[] = []
  #bytes = 0
  #pushed = 0
  #waiters: Waiter[] = []
  #draining: Promise<void> | undefined
  #closing = false
  #wake: () => void = () => {}
  /** What failed last failed for the store's sake, not a record's. */
  #isStoreAtFault = false

  constructor(
    plugin: Plugin,
    diagnostics: Diagnostics,
    {
      maxBytes = 64 * 1024 * 1024,
      maxBatch = 300,
      backOff = [50, 5000],
    }: RecorderQueueOptions = {},
  ) {
    this.plugin = plugin
    this.#diagnostics = diagnostics
    this.#maxBytes = maxBytes
    this.#maxBatch = maxBatch
    this.#backOff = backOff
  }

  /** How many records wait. */
  get size(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `bytes`: its size, where it is known. False where it takes no more. */
  push(record: InterceptionRecord, bytes: number = sizeOf(record)): boolean {
    if (this.#closing) {
      this.#refuse(record, 'closed')
      return false
    }
    const entry: Entry = { position: this.#pushed++, record, bytes, bare: false }
    this.#entries.push(entry)
    this.#bytes += bytes
    // One that leaves no room for any other: those are not to pay for it.
    if (bytes > this.#room) this.#strip(entry)
    if (this.#bytes > this.#maxBytes) this.#shed()
    // A batch is of many requests: what is done for it is part of none of their traces.
    this.#draining ??= context.with(ROOT_CONTEXT, () => this.#drain())
    return true
  }

  /** The position behind the newest record: what `committed` and `isCommitted` take. */
  get position(): number {
    return this.#pushed
  }

  isCommitted(position: number): boolean {
    return (this.#entries[0]?.position ?? this.#pushed) >= position
  }

  /** Resolves when everything before the position is stored, or was given up. Never rejects. */
  committed(position: number): Promise<void> {
    if (this.isCommitted(position)) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ position, resolve }))
  }

  /** Stores what waits, for at most `ms`, then stops; what is left then is counted and logged. */
  async close(ms = 5000): Promise<void> {
    // One try at once, however long the pause was to be.
    this.#wake()
    await within(this.#draining ?? Promise.resolve(), ms)
    this.#closing = true
    this.#wake()
    this.#giveUp(this.#entries, 'closed')
  }

  async #drain(): Promise<void> {
    // Replies wait for a durable recorder: what is pushed in this turn of the loop, by many requests, goes into its
    // first batch. Of another a client may ask right after its reply.
    if (this.plugin.durable) await new Promise((resolve) => setImmediate(resolve))
    else await Promise.resolve()
    for (let tries = 0; this.#entries.length > 0 && !this.#closing; ) {
      const batch = this.#entries.slice(0, this.#maxBatch)
      const error = await this.#store(batch)
      if (error === undefined) {
        tries = 0
        this.#advance(batch)
        this.onStored()
      } else if (!this.plugin.durable) {
        this.#giveUp(batch, 'failed')
      } else if (++tries >= 3 && this.#isSuspect && (await this.#isolate(batch))) {
        tries = 0
      } else if (!this.#closing) {
        await this.#pause(tries)
      }
    }
    this.#draining = undefined
  }

  async #store(batch: readonly Entry[]): Promise<unknown> {
    try {
      await this.plugin.record?.(batch.map(({ record }) => record))
      return undefined
    } catch (error) {
      this.#diagnostics.count('plugin_errors', { plugin: this.plugin.name })
      this.#diagnostics.log('error', `recorder ${this.plugin.name} failed: ${messageOf(error)}`, {
        plugin: this.plugin.name,
        records: batch.length,
      })
      this.#isStoreAtFault = isStoreFault(error)
      return error ?? new Error('unknown')
    }
  }

  /** A disk that is full may take a small record and not a large one: that makes the large one no bad record. */
  get #isSuspect(): boolean {
    return !this.#isStoreAtFault && this.#entries.length > 1
  }

  /**
   * Tells a bad record from a store that is down: where another can be stored alone, the one that can't is set
   * aside. A store that takes nothing at all costs two tries and no record; false then.
   */
  async #isolate(batch: readonly Entry[]): Promise<boolean> {
    // Any that waits will do: this batch may be bad throughout, and stores take records in any order.
    const at = Math.trunc(Math.random() * this.#entries.length)
    const probes = [this.#entries[at], this.#entries[(at + 1) % this.#entries.length]]
    let good: Entry | undefined
    for (const probe of probes) if (!good && probe && (await this.#stores([probe]))) good = probe
    const bad: Entry[] = []
    if (!good || !(await this.#bisect(batch, good, bad))) return false
    for (const { record } of bad) this.#refuse(record, 'refused')
    this.#advance(batch)
    this.onStored()
    return true
  }

  /** Collects what can't be stored. False where the store went down meanwhile: then nothing is known. */
  async #bisect(batch: readonly Entry[], good: Entry, bad: Entry[]): Promise<boolean> {
    if (batch.length > 1) {
      const middle = batch.length >> 1
      for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
        if (await this.#stores(half)) continue
        if (this.#isStoreAtFault || !(await this.#bisect(half, good, bad))) return false
      }
      return true
    }
    // Bad only if it fails again right after one that is known to be good.
    if (!(await this.#stores([good]))) return false
    if (await this.#stores(batch)) return true
    if (this.#isStoreAtFault) return false
    bad.push(...batch)
    return true
  }

  async #stores(batch: readonly Entry[]): Promise<boolean> {
    return !this.#closing && (await this.#store(batch)) === undefined
  }

  #pause(tries: number): Promise<void> {
    const [first, longest] = this.#backOff
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(longest, first * 2 ** (tries - 1)))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** The batch is done with; some of it may have been shed meanwhile. */
  #advance(batch: readonly Entry[]): void {
    let gone = 0
    while (gone < batch.length && this.#entries[gone] === batch[gone]) gone++
    if (gone < batch.length) {
      const done = new Set(batch)
      while (gone < this.#entries.length && done.has(this.#entries[gone] as Entry)) gone++
    }
    this.#remove(gone)
  }

  #remove(count: number): void {
    for (let at = 0; at < count; at++) this.#bytes -= this.#entries[at]?.bytes ?? 0
    if (count === this.#entries.length) this.#entries = []
    else this.#entries.splice(0, count)
    if (this.#waiters.length > 0) this.#release()
  }

  #release(): void {
    while (this.#waiters[0] && this.isCommitted(this.#waiters[0].position)) {
      this.#waiters.shift()?.resolve()
    }
  }

  /** Some of it may have been shed meanwhile: that is counted already. */
  #giveUp(batch: readonly Entry[], reason: string): void {
    const waiting = new Set(this.#entries)
    for (const entry of batch) if (waiting.has(entry)) this.#refuse(entry.record, reason)
    this.#advance(batch)
  }

  /** What a durable recorder loses is told each time, and whole where a bill or an audit needs it. */
  #refuse(record: InterceptionRecord, reason: string): void {
    const { durable, name } = this.plugin
    this.#diagnostics.count('records_dropped', { recorder: name, reason })
    const log = durable ? this.#diagnostics.logEach : this.#diagnostics.log
    log('error', `recorder ${name} lost a record`, {
      reason,
      record_type: record.type,
      id: record.id,
      interception_id: record.interceptionId,
      ...(durable && isEssential(record) && { record: snakeKeys(record) }),
    })
  }

  /** What is left when something has gone: some room at once, so that a full queue is not searched at every push. */
  get #room(): number {
    return this.#maxBytes * 0.9
  }

  /** Over the bound: content goes first, then what is neither start, end nor usage, then the oldest. */
  #shed(): void {
    const target = this.#room
    if (this.plugin.durable) {
      for (const entry of this.#entries) if (this.#bytes > target) this.#strip(entry)
      this.#drop((entry) => this.#bytes > target && !isEssential(entry.record))
    }
    this.#drop(() => this.#bytes > target)
    this.#release()
  }

  #strip(entry: Entry): void {
    if (entry.bare) return
    entry.bare = true
    const record = dropContent(entry.record)
    if (record === entry.record) return
    this.#bytes -= entry.bytes
    entry.record = record
    entry.bytes = sizeOf(record)
    this.#bytes += entry.bytes
    this.#diagnostics.count('records_dropped', { recorder: this.plugin.name, reason: 'content' })
  }

  #drop(goes: (entry: Entry) => boolean): void {
    this.#entries = this.#entries.filter((entry) => {
      if (!goes(entry)) return true
      this.#bytes -= entry.bytes
      this.#refuse(entry.record, 'queue_full')
      return false
    })
  }
}
