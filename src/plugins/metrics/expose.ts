import { Counter, Gauge, type Histogram, type Registry } from 'prom-client'
import type { Durations } from '../../core/durations.ts'

export interface Family<Label extends string> {
  /** With the `sluice_` prefix. */
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
}

/** One series: label values in the order of the names, and what it is at the moment. */
export interface Cell {
  readonly labels: readonly string[]
  value: number
}

/** Cells of one metric, by label values. Counting in a cell that one holds on to costs an addition. */
export class Cells {
  readonly #cells = new Map<string, Cell>()

  of(...labels: readonly string[]): Cell {
    const key = labels.join('\0')
    let cell = this.#cells.get(key)
    if (!cell) {
      cell = { labels, value: 0 }
      this.#cells.set(key, cell)
    }
    return cell
  }

  all(): Iterable<Cell> {
    return this.#cells.values()
  }
}

/** A counter or gauge that is read from cells when it is asked for. */
export function exposeCells(
  registry: Registry,
  type: 'counter' | 'gauge',
  family: Family<string>,
  cells: () => Iterable<Cell>,
): void {
  const Metric = type === 'counter' ? Counter : Gauge
  new Metric({
    ...family,
    registers: [registry],
    collect() {
      this.reset()
      for (const { labels, value } of cells()) this.inc(labelsOf(family, labels), value)
    },
  })
}

/** A histogram that is read from durations when it is asked for. */
export function exposeDurations(
  registry: Registry,
  family: Family<string>,
  durations: Durations,
): void {
  const { name, help } = family
  const metric = {
    name,
    help,
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: valuesOf(family, durations),
    }),
  }
  // prom-client's own can only be fed one observation at a time; of a metric a registry asks no more than this.
  registry.registerMetric(metric as unknown as Histogram)
}

function valuesOf(family: Family<string>, durations: Durations) {
  const { name } = family
  return [...durations.all()].flatMap(({ labels: values, counts, sum }) => {
    const labels = labelsOf(family, values)
    let count = 0
    const buckets = counts.map((more, index) => {
      count += more
      const le = durations.bounds[index] ?? '+Inf'
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  })
}

function labelsOf(
  { labelNames }: Family<string>,
  values: readonly string[],
): Record<string, string> {
  return Object.fromEntries(labelNames.map((name, index) => [name, values[index] ?? '']))
}
