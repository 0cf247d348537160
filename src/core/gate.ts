import type { Diagnostics } from './diagnostics.ts'
import type { RecorderQueue } from './recorder-queue.ts'
import { within } from './within.ts'

/**
 * Holds the end of a reply until its records are on disk, or for `wait` ms. A store that missed it once is not
 * waited for until it commits again: one that hangs costs one wait, not one per reply.
 */
export class Gate {
  readonly #queues: readonly RecorderQueue[]
  readonly #wait: number
  readonly #diagnostics: Diagnostics
  readonly #late = new Set<RecorderQueue>()

  constructor(queues: readonly RecorderQueue[], wait: number, diagnostics: Diagnostics) {
    this.#queues = queues.filter(({ plugin }) => plugin.durable)
    this.#wait = wait
    this.#diagnostics = diagnostics
    for (const queue of this.#queues) queue.onStored = () => this.#stored(queue)
  }

  /** True from a miss on until a commit succeeds. */
  get isOpen(): boolean {
    return this.#late.size > 0
  }

  /** True where no reply has anything to wait for. */
  get isClear(): boolean {
    return this.#wait === 0 || this.#queues.every(({ size }) => size === 0)
  }

  /** Resolves when what was pushed so far is committed, or the wait is over. Never rejects. */
  async pass(interceptionId: string): Promise<void> {
    if (this.#wait === 0) return
    const since = performance.now()
    const committed = await this.committed(this.#wait)
    this.#diagnostics.commitWait.of().observe(performance.now() - since)
    if (committed) return
    this.#diagnostics.count('commit_wait_missed')
    this.#diagnostics.logEach('error', 'released unrecorded', { interception_id: interceptionId })
  }

  /** Resolves to true when what was pushed so far is committed within `ms`; to false at the first miss. */
  async committed(ms: number): Promise<boolean> {
    const marks = this.#queues.map((queue) => ({ queue, position: queue.position }))
    const committed = await Promise.all(
      marks.map(async ({ queue, position }) => {
        if (queue.isCommitted(position)) return true
        if (this.#late.has(queue)) return false
        if (await within(queue.committed(position), ms)) return true
        this.#missed(queue)
        return false
      }),
    )
    return !committed.includes(false)
  }

  #missed(queue: RecorderQueue): void {
    if (this.#late.has(queue)) return
    this.#late.add(queue)
    this.#diagnostics.log(
      'error',
      'commit-wait missed: replies are released unrecorded until a commit succeeds',
      { recorder: queue.plugin.name },
    )
  }

  #stored(queue: RecorderQueue): void {
    if (!this.#late.delete(queue)) return
    this.#diagnostics.log('info', 'commits succeed again: replies wait for their records', {
      recorder: queue.plugin.name,
    })
  }
}
