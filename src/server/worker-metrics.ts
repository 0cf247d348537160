import { Counter } from 'prom-client'
import { lasting, type Metrics, type MetricsSnapshot, sumOf } from './metrics.ts'

/** What all workers have counted, also those that died: without it their counts would be taken back. */
export class WorkerMetrics {
  readonly #own: Metrics
  readonly #deaths: Counter
  readonly #newest = new Map<number, MetricsSnapshot>()
  #dead: MetricsSnapshot = []
  /** One after the other: each adds to what is there. */
  #burials: Promise<void> = Promise.resolve()

  /** `own`: the primary's. */
  constructor(own: Metrics) {
    this.#own = own
    this.#deaths = new Counter({
      name: 'sluice_worker_deaths_total',
      help: 'Workers that died and were replaced',
      registers: [own.registry],
    })
  }

  take(worker: number, snapshot: MetricsSnapshot): void {
    this.#newest.set(worker, snapshot)
  }

  /** The worker is dead: its counters stay, its gauges go. */
  bury(worker: number): void {
    this.#deaths.inc()
    const last = this.#newest.get(worker)
    this.#newest.delete(worker)
    if (!last) return
    this.#burials = this.#burials.then(async () => {
      this.#dead = await sumOf([this.#dead, lasting(last)])
    })
  }

  async sum(): Promise<MetricsSnapshot> {
    const own = await this.#own.snapshot()
    await this.#burials
    return sumOf([own, this.#dead, ...this.#newest.values()])
  }
}
