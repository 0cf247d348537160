import { from, Subject, type Subscription, takeWhile } from 'rxjs'
import type { EventType, InterceptionEvent } from './events.ts'
import type { Interception } from './interception.ts'
import type { Plugin } from './plugin.ts'

/** What a lane may use of the thread in one interception: this, and a little more with each event. */
const blockingMs = 50
const perEventMs = 0.02

export interface LaneOptions {
  readonly plugin: Plugin
  readonly interception: Interception
  /** Takes what the observer emitted: a record's body, if all is well. */
  readonly take: (plugin: Plugin, body: unknown) => void
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
  /** With `observes`, the plugin is asked when the first of them comes. */
  #opened = false
  #spent = 0
  #seen = 0
  /** When the call into the plugin that is running began. */
  #calledAt: number | undefined
  /** What the thread had used by then. */
  #calledCpu = 0

  constructor(options: LaneOptions) {
    this.#options = options
    if (!options.plugin.observes) this.#open()
  }

  /** `types`: which types are among the events, found once for all lanes. */
  next(events: readonly InterceptionEvent[], types: readonly EventType[]): void {
    if (this.done) return
    const { observes } = this.#options.plugin
    const wanted = observes ? this.#wanted(events, types, observes) : events
    if (wanted.length === 0) return
    this.#seen += wanted.length
    this.#call(() => {
      for (const event of wanted) this.#events.next(event)
    })
  }

  #wanted(
    events: readonly InterceptionEvent[],
    types: readonly EventType[],
    observes: readonly EventType[],
  ): readonly InterceptionEvent[] {
    if (!this.#opened) {
      if (!observes.some((type) => types.includes(type))) return []
      this.#open()
    }
    const wants = (type: EventType) => type === 'end' || observes.includes(type)
    if (!types.some(wants)) return []
    return types.every(wants) ? events : events.filter(({ type }) => wants(type))
  }

  /** Tells the observer that no more events come; what it still emits is taken. */
  complete(): void {
    if (!this.#opened) this.done = true
    if (!this.done) this.#call(() => this.#events.complete())
  }

  /** Closes the lane for a fault of its plugin. */
  fail(error: unknown): void {
    this.#options.failed(this.#options.plugin, error)
    if (!this.done) this.close()
  }

  close(): void {
    this.done = true
    const subscription = this.#subscription
    this.#subscription = undefined
    this.#guard(() => subscription?.unsubscribe())
  }

  #open(): void {
    this.#opened = true
    this.#call(() => this.#subscribe())
    // An observer that ended while it was subscribed left its subscription behind.
    if (this.done) this.close()
  }

  #subscribe(): void {
    const { plugin, interception } = this.#options
    const observed = plugin.observe?.(this.#events.asObservable(), interception)
    if (!observed) throw new Error(`observe returned ${observed}: it needs an Observable or a list`)
    this.#subscription = from(observed)
      // Ends what emits without a pause, too, once the lane is closed.
      .pipe(takeWhile(() => !this.done))
      .subscribe({
        // RxJS throws what a handler throws on a timer, where nothing catches it.
        next: (body) => this.#guard(() => this.#take(body)),
        error: (error) => this.fail(error),
        // Closed by us, under our guard: else a throw in a `finalize` goes to whoever ended the observer.
        complete: () => this.close(),
      })
  }

  #take(body: unknown): void {
    const { plugin, take } = this.#options
    if (this.done) return
    take(plugin, body)
    if (this.#calledAt === undefined || performance.now() - this.#calledAt <= 2 * blockingMs) return
    if (threadCpu() - this.#calledCpu > 2 * blockingMs) {
      this.fail(new Error(`blocked the thread for more than ${2 * blockingMs} ms`))
    }
  }

  /** A call into the plugin: guarded, and its time counted. */
  #call(call: () => void): void {
    const start = performance.now()
    const cpu = recentCpu(start)
    this.#calledAt = start
    this.#calledCpu = cpu
    this.#guard(call)
    this.#calledAt = undefined
    const took = performance.now() - start
    // By the clock a pause of the machine looks like a plugin that blocks: ask what the thread really used.
    this.#spent += took > 5 ? Math.min(took, threadCpu() - cpu) : took
    if (this.#spent > blockingMs + perEventMs * this.#seen) {
      this.fail(new Error(`blocked the thread for ${Math.round(this.#spent)} ms`))
    }
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.fail(error)
    }
  }
}

/** The CPU time of this thread, in ms. */
function threadCpu(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const sample = { at: -1000, cpu: 0 }

/** The CPU time of this thread at most 5 ms ago: asking costs 0.5 µs, and there are many calls in a burst. */
function recentCpu(now: number): number {
  if (now - sample.at > 5) {
    sample.at = now
    sample.cpu = threadCpu()
  }
  return sample.cpu
}
