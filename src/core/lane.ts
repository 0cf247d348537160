import { from, Subject, type Subscription } from 'rxjs'
import type { InterceptionEvent } from './events.ts'
import type { Interception } from './interception.ts'
import type { Plugin } from './plugin.ts'
import type { RecordBody } from './records.ts'

/** What a lane may use of the thread in one interception: this, and a little more with each event. */
const blockingMs = 50
const perEventMs = 0.02

export interface LaneOptions {
  readonly plugin: Plugin
  readonly interception: Interception
  /** Takes a body that the observer emitted. */
  readonly take: (plugin: Plugin, body: RecordBody) => void
  /** Hears of the fault that closed the lane. */
  readonly failed: (plugin: Plugin, error: unknown) => void
}

/**
 * One plugin's way through one interception: its own Subject and subscription, every call into it guarded, so
 * that its faults close this lane and nothing else.
 */
export class Lane {
  /** True once the observer has completed or was closed. */
  done = false
  readonly #options: LaneOptions
  readonly #events = new Subject<InterceptionEvent>()
  #subscription: Subscription | undefined
  #spent = 0
  #seen = 0

  constructor(options: LaneOptions) {
    this.#options = options
    this.#guard(() => {
      const { plugin, interception, take } = options
      const observed = plugin.observe?.(this.#events.asObservable(), interception) ?? []
      this.#subscription = from(observed).subscribe({
        next: (body) => this.done || take(plugin, body),
        error: (error) => this.fail(error),
        complete: () => {
          this.done = true
        },
      })
    })
    // An observer that ended while it was subscribed left its subscription behind.
    if (this.done) this.close()
  }

  next(events: readonly InterceptionEvent[]): void {
    if (this.done) return
    const start = performance.now()
    const cpu = cpuMs()
    this.#guard(() => {
      for (const event of events) this.#events.next(event)
    })
    this.#seen += events.length
    const took = performance.now() - start
    // By the clock a pause of the machine looks like a plugin that blocks: ask what the thread really used.
    this.#spent += took > 5 ? Math.min(took, cpuMs() - cpu) : took
    if (this.#spent > blockingMs + perEventMs * this.#seen && !this.done) {
      this.fail(new Error(`blocked the thread for ${Math.round(this.#spent)} ms`))
    }
  }

  /** Tells the observer that no more events come; what it still emits is taken. */
  complete(): void {
    if (!this.done) this.#guard(() => this.#events.complete())
  }

  close(): void {
    this.done = true
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#guard(() => subscription?.unsubscribe())
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Closes the lane for a fault of its plugin. */
  fail(error: unknown): void {
    const { plugin, failed } = this.#options
    failed(plugin, error)
    if (!this.done) this.close()
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
