import { Durations } from './durations.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Where the gateway's own words go. Winston's and Pino's loggers can be wrapped in one line. */
export type Log = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

/** Names of counters, as in the metrics without their `sluice_` prefix and `_total` suffix. */
export type CounterName =
  | 'plugin_errors'
  | 'records_dropped'
  | 'commit_wait_missed'
  | 'usage_missing'
  | 'refused'
  | 'observed_partial'
  | 'unhandled_errors'
  | 'log_lines_dropped'
  | 'pruned'
  | 'mcp_pool'
  | 'passthrough'

export interface Count {
  readonly name: CounterName
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Counts every fault and logs it: at most `burst` lines of one message a second, the rest as a sum. */
export class Diagnostics {
  /** What the gateway itself took of each request, by provider's instance: see `docs/metrics.md`. */
  readonly overhead: Durations = new Durations([
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  ])
  /** How long ends of replies waited for their records. */
  readonly commitWait: Durations = new Durations([
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  ])
  readonly #counts = new Map<
    string,
    { name: CounterName; labels: Record<string, string>; value: number }
  >()
  readonly #lines = new Map<string, { second: number; seen: number }>()
  #rest: NodeJS.Timeout | undefined
  readonly #write: Log
  readonly #burst: number

  constructor(write: Log, burst = 20) {
    this.#write = write
    this.#burst = burst
  }

  count(name: CounterName, labels: Record<string, string> = {}, by = 1): void {
    const key = `${name} ${JSON.stringify(labels)}`
    const entry = this.#counts.get(key)
    if (entry) entry.value += by
    else this.#counts.set(key, { name, labels, value: by })
  }

  counts(): Count[] {
    return [...this.#counts.values()].map((entry) => ({ ...entry }))
  }

  /** The sum of all counts under a name whose labels include the given ones. */
  total(name: CounterName, labels: Record<string, string> = {}): number {
    return this.counts()
      .filter((entry) => entry.name === name)
      .filter((entry) =>
        Object.entries(labels).every(([key, value]) => entry.labels[key] === value),
      )
      .reduce((sum, entry) => sum + entry.value, 0)
  }

  /** For lines that no limit may hold back, such as the id of each reply that was let go unrecorded. */
  logEach: Log = (level, message, fields) => this.#emit(level, message, fields)

  log: Log = (level, message, fields) => {
    const second = Math.trunc(Date.now() / 1000)
    const line = this.#lines.get(message)
    if (line?.second === second) {
      line.seen++
      if (line.seen > this.#burst) {
        this.#rest ??= setTimeout(() => this.#tellRest(), 1000).unref()
        return
      }
    } else {
      this.#tellLeftOut(message, line)
      // Messages may hold a plugin's own words: no end of different ones may pile up.
      if (this.#lines.size >= 1000) this.#lines.clear()
      this.#lines.set(message, { second, seen: 1 })
    }
    this.#emit(level, message, fields)
  }

  /** Also where no more lines like those come. */
  #tellRest(): void {
    this.#rest = undefined
    const second = Math.trunc(Date.now() / 1000)
    for (const [message, line] of this.#lines) {
      if (line.second === second && line.seen > this.#burst)
        this.#rest ??= setTimeout(() => this.#tellRest(), 1000).unref()
      else this.#tellLeftOut(message, line)
    }
  }

  #tellLeftOut(message: string, line: { seen: number } | undefined): void {
    if (!line || line.seen <= this.#burst) return
    const leftOut = line.seen - this.#burst
    line.seen = this.#burst
    this.#emit('warn', `${message} (${leftOut} more lines like this were left out)`)
  }

  #emit(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void {
    try {
      this.#write(level, message, fields)
    } catch {
      // A log that throws may cost its line, never a request.
    }
  }
}
