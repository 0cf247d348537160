import type { Diagnostics } from './diagnostics.ts'
import { messageOf } from './errors.ts'
import type { Plugin } from './plugin.ts'
import { dropContent, isEssential, sizeOf } from './record-content.ts'
import type { InterceptionRecord } from './records.ts'
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

  push(record: InterceptionRecord): void {
    const bytes = sizeOf(record)
    this.#entries.push({ position: this.#pushed++, record, bytes, bare: false })
    this.#bytes += bytes
    if (this.#bytes > this.#maxBytes) this.#shed()
    this.#draining ??= this.#drain()
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
    await within(this.#draining ?? Promise.resolve(), ms)
    this.#closing = true
    this.#wake()
    this.#giveUp(this.#entries.length, 'closed')
  }

  async #drain(): Promise<void> {
    // What is pushed in this turn of the loop goes into the first batch.
    await Promise.resolve()
    for (let tries = 0; this.#entries.length > 0 && !this.#closing; ) {
      const batch = this.#entries.slice(0, this.#maxBatch)
      const error = await this.#store(batch)
      if (error === undefined) {
        tries = 0
        this.#advance(batch)
        this.onStored()
      } else if (!this.plugin.durable) {
        this.#giveUp(batch.length, 'failed')
      } else {
        tries++
        if (tries >= 3 && batch.length > 1) await this.#isolate(batch)
        if (this.#entries.length > 0) await this.#pause(tries)
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
      return error ?? new Error('unknown')
    }
  }

  /**
   * Tells a bad record from a store that is down: where others can be stored alone, the one that can't is set
   * aside. A store that takes nothing at all costs two tries and no record.
   */
  async #isolate(batch: readonly Entry[]): Promise<void> {
    const probe = batch[Math.trunc(Math.random() * batch.length)] as Entry
    const neighbour = batch[(batch.indexOf(probe) + 1) % batch.length] as Entry
    const works =
      (await this.#store([probe])) === undefined || (await this.#store([neighbour])) === undefined
    if (!works) return
    const bad: Entry[] = []
    for (const half of [batch.slice(0, batch.length >> 1), batch.slice(batch.length >> 1)]) {
      await this.#bisect(half, bad)
    }
    for (const { record } of bad) this.#refuse(record, 'refused')
    this.#advance(batch)
    this.onStored()
  }

  async #bisect(batch: readonly Entry[], bad: Entry[]): Promise<void> {
    if (batch.length === 0 || (await this.#store(batch)) === undefined) return
    if (batch.length === 1) {
      bad.push(batch[0] as Entry)
      return
    }
    await this.#bisect(batch.slice(0, batch.length >> 1), bad)
    await this.#bisect(batch.slice(batch.length >> 1), bad)
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
    const done = new Set(batch)
    let kept = 0
    while (kept < this.#entries.length && done.has(this.#entries[kept] as Entry)) kept++
    this.#remove(kept)
  }

  #remove(count: number): void {
    for (const entry of this.#entries.splice(0, count)) this.#bytes -= entry.bytes
    this.#release()
  }

  #release(): void {
    while (this.#waiters[0] && this.isCommitted(this.#waiters[0].position)) {
      this.#waiters.shift()?.resolve()
    }
  }

  #giveUp(count: number, reason: string): void {
    for (const { record } of this.#entries.slice(0, count)) this.#refuse(record, reason)
    this.#remove(count)
  }

  #refuse(record: InterceptionRecord, reason: string): void {
    const recorder = this.plugin.name
    this.#diagnostics.count('records_dropped', { recorder, reason })
    this.#diagnostics.logEach('error', `recorder ${recorder} lost a record`, {
      reason,
      record_type: record.type,
      id: record.id,
      interception_id: record.interceptionId,
    })
  }

  /** Over the bound: content goes first, then what is neither start, end nor usage, then the oldest. */
  #shed(): void {
    // Some room at once, so that a full queue is not searched at every push.
    const target = this.#maxBytes * 0.9
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
