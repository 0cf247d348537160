import { Observable, type Subscriber } from 'rxjs'
import type { Frame } from './sse.ts'

/**
 * `Interception.frames$`: each subscriber gets copies of its own, so that no plugin can touch bytes that are still
 * on their way, and is called under a guard of its own. Nothing is copied while no one subscribes.
 */
export class FrameFeed {
  readonly frames$: Observable<Frame> = new Observable((subscriber) => {
    if (this.#ended) return subscriber.complete()
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  })
  readonly #subscribers = new Set<Subscriber<Frame>>()
  readonly #failed: (error: unknown) => void
  #ended = false

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  get isHeard(): boolean {
    return this.#subscribers.size > 0
  }

  tell(frame: Frame): void {
    // Before its bytes are looked at: a view of them is made only then.
    if (this.#subscribers.size === 0) return
    const { event, data, bytes } = frame
    for (const subscriber of this.#subscribers) {
      this.#guard(() => subscriber.next({ event, data, bytes: Uint8Array.from(bytes) }))
    }
  }

  end(): void {
    this.#ended = true
    for (const subscriber of this.#subscribers) this.#guard(() => subscriber.complete())
    this.#subscribers.clear()
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#failed(error)
    }
  }
}
