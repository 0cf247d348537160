import { collectorTime, watchCollector } from './collector-time.ts'
import { bitOf, observedMask } from './event-mask.ts'
import type { InterceptionEvent } from './events.ts'
import type { Interception } from './interception.ts'
import { Direct, Subscribed, type Way } from './lane-ways.ts'
import type { Plugin } from './plugin.ts'
import { recentCpu, threadCpu } from './thread-cpu.ts'
import { RecordsOf } from './to-records.ts'

/** What a lane may use of the thread in one interception: this, and a little more with each event. */
const blockingMs = 50
const perEventMs = 0.02
/** What emits for so long without a pause has no end. */
const endlessMs = 500

/** Where what comes out of a lane goes. */
export interface LaneHost {
  readonly interception: Interception
  /** Takes what the observer emitted: a record's body, if all is well. */
  take(lane: Lane, body: unknown): void
  /** Hears of the fault that closed the lane. */
  failed(plugin: Plugin, error: unknown): void
}

/**
 * One plugin's way through one interception: its own events and subscription, every call into it guarded, so that
 * its faults close this lane and nothing else.
 */
export class Lane {
  readonly plugin: Plugin
  /** How many records came of it. */
  records = 0
  /** True once the observer has completed or was closed. */
  done = false
  readonly #host: LaneHost
  readonly #wants: number
  /** What the plugin is called by; with `observes`, it is asked when the first of them comes. */
  #way: Way | null = null
  #spent = 0
  #seen = 0
  /** When the call into the plugin that is running began; 0 while none runs. */
  #calledAt = 0
  /** What the thread had used by then. */
  #calledCpu = 0
  /** Calls that took long, whose times may be the garbage collector's; made for the first of them. */
  #long: { readonly from: number; readonly to: number }[] | null = null
  #suspected = false

  constructor(plugin: Plugin, host: LaneHost) {
    this.plugin = plugin
    this.#host = host
    this.#wants = observedMask(plugin.observes)
    watchCollector()
    if (!plugin.observes) this.#open()
  }

  /** True where its plugin is still to see events of these types. */
  looksAt(mask: number): boolean {
    return !this.done && (this.#wants & mask) !== 0
  }

  /** `mask`: which types are among the events, found once for all lanes. */
  next(events: readonly InterceptionEvent[], mask: number): void {
    if (this.done) return
    if (!this.#way && (mask & this.#wants) !== 0) this.#open()
    const wants = this.#wants | endBit
    const way = this.#way
    if (!way || (mask & wants) === 0) return
    this.#enter()
    try {
      for (const event of events) {
        if ((bitOf(event.type) & wants) === 0) continue
        if (this.done) break
        this.#seen++
        way.see(event)
      }
    } catch (error) {
      this.fail(error)
    }
    this.#leave()
  }

  /** Tells the observer that no more events come; what it still emits is taken. */
  complete(): void {
    if (this.done) return
    if (!this.#way) {
      this.done = true
      return
    }
    this.#enter()
    try {
      this.#way.end()
    } catch (error) {
      this.fail(error)
    }
    this.#leave()
  }

  /** What the observer emitted; thrown at, it would throw on a timer where nothing catches it. */
  take(body: unknown): void {
    if (this.done) return
    try {
      this.#host.take(this, body)
    } catch (error) {
      this.fail(error)
    }
    if (this.#calledAt === 0 || performance.now() - this.#calledAt <= endlessMs) return
    if (threadCpu() - this.#calledCpu > endlessMs) {
      this.fail(new Error(`blocked the thread for more than ${endlessMs} ms`))
    }
  }

  /** Closes the lane for a fault of its plugin. */
  fail(error: unknown): void {
    this.#host.failed(this.plugin, error)
    if (!this.done) this.close()
  }

  close(): void {
    this.done = true
    const way = this.#way
    this.#way = null
    try {
      way?.leave()
    } catch (error) {
      this.fail(error)
    }
  }

  #open(): void {
    const way = new Subscribed(this)
    this.#way = way
    this.#enter()
    try {
      const observed = this.plugin.observe?.(way.events$, this.#host.interception)
      if (!observed) {
        throw new Error(`observe returned ${observed}: it needs an Observable or a list`)
      }
      if (observed instanceof RecordsOf && observed.events$ === way.events$) {
        this.#way = new Direct(this, observed)
      } else way.follow(observed)
    } catch (error) {
      this.fail(error)
    }
    this.#leave()
  }

  /** A call into the plugin begins: its time is counted. */
  #enter(): void {
    this.#calledAt = performance.now()
    this.#calledCpu = recentCpu(this.#calledAt)
  }

  #leave(): void {
    const now = performance.now()
    const took = now - this.#calledAt
    // By the clock a pause of the machine looks like a plugin that blocks: ask what the thread really used.
    if (took > 5) {
      this.#spent += Math.min(took, threadCpu() - this.#calledCpu)
      this.#long ??= []
      this.#long.push({ from: this.#calledAt, to: now })
    } else this.#spent += took
    this.#calledAt = 0
    if (this.#suspected || this.#spent <= this.#allowed) return
    this.#suspected = true
    setImmediate(() => this.#judge())
  }

  /** It blocks, unless the time went to the collector, which runs in whoever asks for memory. */
  #judge(): void {
    this.#suspected = false
    for (const { from, to } of this.#long ?? []) this.#spent -= collectorTime(from, to)
    this.#long = null
    if (this.#spent <= this.#allowed) return
    this.fail(new Error(`blocked the thread for ${Math.round(this.#spent)} ms`))
  }

  get #allowed(): number {
    return blockingMs + perEventMs * this.#seen
  }
}

const endBit = bitOf('end')
