/** How long things took, counted by bounds in seconds for each set of label values: a histogram that makes no objects. */
export class Durations {
  readonly bounds: readonly number[]
  readonly #series = new Map<string, DurationSeries>()

  /** `bounds`: in seconds, the smallest first. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds
  }

  /** The series of these label values: keep it where the same ones come again and again. */
  of(...labels: readonly string[]): DurationSeries {
    const key = labels.join('\0')
    let series = this.#series.get(key)
    if (!series) {
      series = new DurationSeries(this.bounds, labels)
      this.#series.set(key, series)
    }
    return series
  }

  all(): Iterable<DurationSeries> {
    return this.#series.values()
  }
}

export class DurationSeries {
  readonly labels: readonly string[]
  /** Between each bound and the one before; the last is what is longer than all bounds. */
  readonly counts: number[]
  /** In seconds. */
  sum = 0
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[], labels: readonly string[]) {
    this.#bounds = bounds
    this.labels = labels
    this.counts = [...bounds.map(() => 0), 0]
  }

  observe(ms: number): void {
    const seconds = ms / 1000
    let at = 0
    while (at < this.#bounds.length && seconds > (this.#bounds[at] as number)) at++
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += seconds
  }
}
