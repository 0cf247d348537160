import type { Diagnostics } from './diagnostics.ts'
import type { RecorderQueue } from './recorder-queue.ts'
import { within } from './within.ts'

/**
 * Holds the end of a reply until its records are on disk, or for `wait` ms. After one miss it stays open for
 * everyone until a commit succeeds: a store that hangs costs one wait, not one per reply.
 */
export class Gate {
  readonly #queues: readonly RecorderQueue[]
  readonly #wait: number
  readonly #diagnostics: Diagnostics
  #open = false

  constructor(queues: readonly RecorderQueue[], wait: number, diagnostics: Diagnostics) {
    this.#queues = queues.filter(({ plugin }) => plugin.durable)
    this.#wait = wait
    this.#diagnostics = diagnostics
    for (const queue of this.#queues) queue.onStored = () => this.#stored()
  }

  /** True from a miss on until a commit succeeds. */
  get isOpen(): boolean {
    return this.#open
  }

  /** Resolves when what was pushed so far is committed, or the wait is over. Never rejects. */
  async pass(interceptionId: string): Promise<void> {
    const queues = this.#queues
    const positions = queues.map((queue) => queue.position)
    const committed = () =>
      queues.every((queue, index) => queue.isCommitted(positions[index] as number))
    if (this.#wait === 0 || committed()) return
    if (!this.#open) {
      const all = Promise.all(
        queues.map((queue, index) => queue.committed(positions[index] as number)),
      )
      if (await within(all, this.#wait)) return
      if (!this.#open) {
        this.#open = true
        this.#diagnostics.log(
          'error',
          'commit-wait missed: replies are released unrecorded until a commit succeeds',
        )
      }
    }
    this.#diagnostics.count('commit_wait_missed')
    this.#diagnostics.logEach('error', 'released unrecorded', { interception_id: interceptionId })
  }

  /** Resolves to true when what was pushed so far is committed within `ms`. */
  async committed(ms: number): Promise<boolean> {
    return within(Promise.all(this.#queues.map((queue) => queue.committed(queue.position))), ms)
  }

  #stored(): void {
    if (!this.#open) return
    this.#open = false
    this.#diagnostics.log('info', 'commits succeed again: replies wait for their records')
  }
}
