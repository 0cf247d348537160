import { SluiceError } from '../core/errors.ts'
import { within } from '../core/within.ts'
import type { Metrics, MetricsSnapshot } from './metrics.ts'
import type { PrimaryMessage, WorkerMessage } from './worker-messages.ts'

const pushEvery = 2000
const patience = 2000

/** The primary as a worker sees it. Where it is gone nothing is sent, and nothing throws. */
export class PrimaryLink {
  onMessage: (message: Exclude<PrimaryMessage, { type: 'metrics' }>) => void = () => {}
  readonly #asked = new Map<number, (snapshot: MetricsSnapshot) => void>()
  #asks = 0

  constructor() {
    process.on('message', (message: PrimaryMessage) => {
      if (message.type !== 'metrics') return this.onMessage(message)
      this.#asked.get(message.ask)?.(message.snapshot)
      this.#asked.delete(message.ask)
    })
  }

  send(message: WorkerMessage, sent: () => void = () => {}): void {
    if (!process.connected || !process.send) return sent()
    process.send(message, undefined, undefined, sent)
  }

  /** Tells the primary what is counted here, now and then. */
  pushMetrics(metrics: Metrics): void {
    setInterval(() => {
      void metrics.snapshot().then((snapshot) => this.send({ type: 'metrics', snapshot }))
    }, pushEvery).unref()
  }

  /** What all workers have counted together, dead ones too. */
  async gatherMetrics(snapshot: MetricsSnapshot): Promise<MetricsSnapshot> {
    const ask = this.#asks++
    const { promise, resolve } = Promise.withResolvers<MetricsSnapshot>()
    this.#asked.set(ask, resolve)
    this.send({ type: 'metrics', snapshot, ask })
    if (await within(promise, patience)) return promise
    this.#asked.delete(ask)
    // Our own figures alone would look as if all counters had been set back.
    throw new SluiceError('the primary process does not say what all workers have counted', {
      code: 'ERR_PRIMARY',
      status: 503,
    })
  }
}
