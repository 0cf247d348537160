import { from, Observable, type ObservableInput, Subject, Subscriber } from 'rxjs'
import type { InterceptionEvent } from './events.ts'
import type { RecordBody } from './records.ts'
import type { Records, RecordsOf } from './to-records.ts'

/** The lane, as far as a way ends in it. */
export interface Destination {
  take(body: unknown): void
  fail(error: unknown): void
  close(): void
}

/** How a lane calls its plugin: the plugin's own faults come out of each of these. */
export interface Way {
  see(event: InterceptionEvent): void
  /** No more events come. */
  end(): void
  /** The plugin is called no more. */
  leave(): void
}

/** For any observer: a Subject, made when the observer subscribes, and a subscription to what it gives. */
export class Subscribed implements Way {
  readonly events$: Observable<InterceptionEvent> = new Observable((observer) =>
    this.#join(observer),
  )
  readonly #lane: Destination
  #subject: Subject<InterceptionEvent> | null = null
  #sink: Sink | null = null
  #over = false

  constructor(lane: Destination) {
    this.#lane = lane
  }

  follow(observed: ObservableInput<unknown>): void {
    this.#sink = new Sink(this.#lane)
    from(observed).subscribe(this.#sink)
  }

  see(event: InterceptionEvent): void {
    this.#subject?.next(event)
  }

  end(): void {
    this.#over = true
    this.#subject?.complete()
  }

  leave(): void {
    this.#sink?.unsubscribe()
  }

  #join(observer: Subscriber<InterceptionEvent>) {
    if (this.#over) return observer.complete()
    this.#subject ??= new Subject()
    return this.#subject.subscribe(observer)
  }
}

/** For what `toRecords` made of the lane's events: a call. */
export class Direct implements Way, Records {
  readonly #lane: Destination
  readonly #observed: RecordsOf

  constructor(lane: Destination, observed: RecordsOf) {
    this.#lane = lane
    this.#observed = observed
  }

  see(event: InterceptionEvent): void {
    this.#observed.make(event, this)
  }

  end(): void {
    this.#lane.close()
  }

  leave(): void {}

  next(body: RecordBody): void {
    this.#lane.take(body)
  }

  complete(): void {
    this.#lane.close()
  }
}

/**
 * Subscribes for a lane. Nothing is called after the lane was closed, in the midst of an emission without a pause
 * neither; and it is the lane that unsubscribes, under its guard: else a throw in a `finalize` goes to whoever
 * ended the observer.
 */
class Sink extends Subscriber<unknown> {
  readonly #lane: Destination

  constructor(lane: Destination) {
    super()
    this.#lane = lane
  }

  protected override _next(body: unknown): void {
    this.#lane.take(body)
  }

  protected override _error(error: unknown): void {
    this.#lane.fail(error)
  }

  protected override _complete(): void {
    this.#lane.close()
  }
}
