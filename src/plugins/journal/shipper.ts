import type { Diagnostics } from '../../core/diagnostics.ts'
import { messageOf, SluiceError } from '../../core/errors.ts'
import type { PluginContext, RecordingPlugin } from '../../core/plugin.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { isStoreFault, isTimeOut } from '../../core/store-fault.ts'
import { within } from '../../core/within.ts'
import { BatchSize } from './batch-size.ts'
import type { Shipment } from './journal-folder.ts'
import { readRecord } from './read-record.ts'
import { isFinal, type Refused, sift } from './sift.ts'

export interface ShipperOptions {
  readonly recorder: RecordingPlugin
  readonly context: PluginContext
  /** What is to be stored next, at most so many records; null where nothing waits. */
  readonly next: (most: number) => Promise<Shipment | null>
  /** Called when a shipment is stored, or set aside. */
  readonly shipped: (shipment: Shipment) => Promise<void>
  /** Keeps records that the store refuses. */
  readonly setAside: (refused: readonly Refused[]) => Promise<void>
  /** Told how many of a shipment cannot be read, when the others are stored. */
  readonly unreadable: (records: number) => void
  /** First and longest pause between tries, in ms. */
  readonly backOff: readonly [first: number, longest: number]
  /** How long the store may take for one batch before it is opened anew, in ms. */
  readonly patience: number
}

/** A line at most this often while the store is away, in ms. */
const reportEvery = 60_000

/** Takes what the journal holds to the store, in order, again and again until it is there. */
export class Shipper {
  readonly #options: ShipperOptions
  readonly #diagnostics: Diagnostics
  readonly #size = new BatchSize()
  #open = false
  #running: Promise<void> | undefined
  #more = false
  #state: 'working' | 'finishing' | 'stopped' = 'working'
  #fault: string | null = null
  #reportedAt = Number.NEGATIVE_INFINITY
  #away = false
  /** It took too long for a batch, and does not keep up since. */
  #slow = false
  #witness: InterceptionRecord | undefined
  #wake: () => void = () => {}
  #cut: () => void = () => {}
  #tried: () => void = () => {}
  /** Resolves when the store is open, or was not to be had at the first try. */
  readonly tried: Promise<void> = new Promise((resolve) => {
    this.#tried = resolve
  })

  constructor(options: ShipperOptions) {
    this.#options = options
    this.#diagnostics = options.context.diagnostics
  }

  /** Why the store takes nothing at the moment; null while all is well. */
  get fault(): string | null {
    return this.#fault
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Says that there is something to ship. */
  kick(): void {
    this.#more = true
    if (this.#state !== 'working') return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Ships for at most `ms` more; where the store is away, for one more try. */
  async stop(ms: number): Promise<void> {
    this.kick()
    if (this.#state === 'working') this.#state = 'finishing'
    this.#wake()
    await within(this.#running ?? Promise.resolve(), ms)
    this.#state = 'stopped'
    this.#wake()
    this.#cut()
  }

  async #run(): Promise<void> {
    for (let tries = 1; this.#state !== 'stopped'; ) {
      const error = await this.#step()
      if (error === undefined) tries = 1
      else if (error === null) return
      else {
        this.#failed(error)
        if (this.#state !== 'working') return
        await this.#pause(tries++)
      }
    }
  }

  /** One shipment. Undefined when it is done, null when there was none, else what went wrong. */
  async #step(): Promise<unknown> {
    try {
      await this.#openStore().finally(this.#tried)
      this.#more = false
      const shipment = await this.#options.next(this.#size.most)
      if (!shipment) {
        this.#keepsUp()
        return this.#more ? undefined : null
      }
      const records = shipment.bodies.map(readRecord).filter((record) => record !== null)
      if (records.length > 0) await this.#ship(records)
      this.#witness = records.findLast(isFinal) ?? this.#witness
      // Stopped while the store was at it: the file may be closed, and is shipped again.
      if (this.#state === 'stopped') return null
      await this.#options.shipped(shipment)
      const unreadable = shipment.bodies.length - records.length
      if (unreadable > 0) this.#options.unreadable(unreadable)
      return undefined
    } catch (error) {
      return error ?? new Error('unknown')
    }
  }

  async #ship(records: readonly InterceptionRecord[]): Promise<void> {
    let error = await this.#store(records)
    for (let tries = 1; error !== undefined && tries < 3 && !isStoreFault(error); tries++)
      error = await this.#store(records)
    if (error === undefined) return this.#recovered()
    const refused = isStoreFault(error)
      ? null
      : await sift(records, (part) => this.#store(part), this.#witness)
    if (!refused) throw error
    await this.#options.setAside(refused)
    this.#recovered()
  }

  async #store(records: readonly InterceptionRecord[]): Promise<unknown> {
    const began = performance.now()
    try {
      const done = Promise.resolve(this.#options.recorder.record(records))
      if (!(await this.#settles(done))) throw await this.#giveUp()
      await done
      this.#size.took(records.length, performance.now() - began)
      return undefined
    } catch (error) {
      if (isTimeOut(error)) this.#tookTooLong(records.length, performance.now() - began, error)
      // Somebody closed it; it opens again.
      if ((error as { code?: unknown })?.code === 'ERR_STORE_CLOSED') this.#open = false
      return error ?? new Error('unknown')
    }
  }

  async #openStore(): Promise<void> {
    if (this.#open) return
    const { recorder, context } = this.#options
    const opening = Promise.resolve(recorder.open?.({ ...context, journaled: true }))
    if (!(await this.#settles(opening))) throw await this.#giveUp()
    await opening
    this.#open = true
  }

  /** False where it takes too long, or the shipper is stopped meanwhile. */
  async #settles(call: Promise<unknown>): Promise<boolean> {
    let settled = false
    const done = () => {
      settled = true
    }
    const cut = new Promise<void>((resolve) => {
      this.#cut = resolve
    })
    await within(Promise.race([call.then(done, done), cut]), this.#options.patience)
    return settled
  }

  /** A call that never ends may hold its connection for ever: a new one is made. */
  async #giveUp(): Promise<SluiceError> {
    const { recorder, patience } = this.#options
    this.#open = false
    if (this.#state !== 'stopped') await within(Promise.resolve(recorder.close?.()), 5000)
    return new SluiceError(`no answer within ${patience} ms`, { code: 'ERR_STORE_SLOW' })
  }

  #tookTooLong(records: number, ms: number, error: unknown): void {
    if (this.#state === 'stopped') return
    this.#size.tookTooLong(records, ms)
    // As long as there is a smaller one to try it is no news that another took too long.
    if (!this.#slow || records > 1) this.#reportedAt = performance.now()
    if (this.#slow) return
    this.#slow = true
    this.#diagnostics.log(
      'error',
      `${this.#options.recorder.name} takes too long for a batch: it gets smaller ones until it keeps up, the rest waits in the journal`,
      { records, took_ms: Math.round(ms), error: messageOf(error) },
    )
  }

  /** Batches are whole again, or nothing waits. */
  #keepsUp(): void {
    if (!this.#slow || this.#fault !== null) return
    this.#slow = false
    this.#diagnostics.log('info', `${this.#options.recorder.name} keeps up again`)
  }

  #failed(error: unknown): void {
    const { name } = this.#options.recorder
    this.#fault = messageOf(error)
    this.#diagnostics.count('plugin_errors', { plugin: name })
    if (performance.now() - this.#reportedAt < reportEvery) return
    this.#reportedAt = performance.now()
    this.#away = true
    this.#diagnostics.log('error', `${name} stores nothing, its records wait in the journal`, {
      error: this.#fault,
    })
  }

  #recovered(): void {
    this.#fault = null
    if (this.#size.isFull) this.#keepsUp()
    if (!this.#away) return
    this.#away = false
    this.#reportedAt = Number.NEGATIVE_INFINITY
    this.#diagnostics.log('info', `${this.#options.recorder.name} stores again`)
  }

  #pause(tries: number): Promise<void> {
    const [first, longest] = this.#options.backOff
    // Not all gateways at once when the store is back.
    const ms = Math.min(longest, first * 2 ** (tries - 1)) * (0.8 + Math.random() * 0.4)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
