import { context, diag, ROOT_CONTEXT } from '@opentelemetry/api'
import { core } from '@opentelemetry/sdk-node'
import type { Origin } from './values.ts'
import { Wire } from './wire.ts'

export interface BatchesOptions<Item> {
  /** For the log: `spans`. */
  readonly name: string
  readonly write: (wire: Wire, item: Item) => void
  readonly exporter: BatchExporter
  readonly maxQueueSize?: number | undefined
  readonly maxExportBatchSize?: number | undefined
  readonly scheduledDelayMillis?: number | undefined
  readonly exportTimeoutMillis?: number | undefined
}

export interface Batch {
  readonly count: number
  readonly bytes: number
  readonly groups: readonly (Origin & { readonly items: Uint8Array })[]
}

export interface BatchExporter {
  export(batch: Batch, done: (result: core.ExportResult) => void): void
  shutdown(): Promise<void>
}

/** What a batch may have before it is sent: collectors refuse larger ones whole. */
const maxBatchBytes = 1024 ** 2
const maxWaitingBytes = 16 * 1024 ** 2
/** At a shutdown. */
const atOnce = 8

/**
 * Items that wait to be exported. Each is turned into bytes when it comes, so that it is garbage at once: hundreds of
 * spans that wait as objects are copied by every small collection. Batches leave as OpenTelemetry's processors let them.
 */
export class Batches<Item extends Origin> {
  readonly #options: BatchesOptions<Item>
  readonly #maxQueueSize: number
  readonly #maxBatchSize: number
  readonly #open: (Origin & { readonly wire: Wire })[] = []
  readonly #full: Batch[] = []
  #openCount = 0
  #fullCount = 0
  #fullBytes = 0
  #dropped = 0
  #timer: NodeJS.Timeout | undefined
  #exporting: Promise<void> | null = null
  #ended: Promise<void> | null = null

  constructor(options: BatchesOptions<Item>) {
    const { maxQueueSize = 2048, maxExportBatchSize = 512 } = options
    this.#options = options
    this.#maxQueueSize = maxQueueSize
    this.#maxBatchSize = Math.min(maxExportBatchSize, maxQueueSize)
  }

  add(item: Item): void {
    if (this.#ended !== null) return
    const waiting = this.#openCount + this.#fullCount
    if (waiting >= this.#maxQueueSize || this.#fullBytes > maxWaitingBytes) {
      this.#dropped++
      return
    }
    if (this.#dropped > 0) {
      const { name } = this.#options
      diag.warn(`Dropped ${this.#dropped} ${name} because maxQueueSize reached`)
      this.#dropped = 0
    }
    const wire = this.#wireOf(item)
    const begun = wire.length
    try {
      this.#options.write(wire, item)
    } catch (error) {
      // Half of one would spoil all of them.
      wire.cut(begun)
      core.globalErrorHandler(error instanceof Error ? error : String(error))
      return
    }
    this.#openCount++
    if (this.#openCount >= this.#maxBatchSize || wire.length >= maxBatchBytes) this.#next()
    else this.#timer ??= setTimeout(() => this.#next(), this.#options.scheduledDelayMillis).unref()
  }

  /** Resolves when all that came until now has been exported, or could not be. */
  async flush(): Promise<void> {
    this.#close()
    const waiting = this.#full.splice(0)
    this.#fullCount = 0
    this.#fullBytes = 0
    await this.#exporting
    while (waiting.length > 0) {
      await Promise.all(waiting.splice(0, atOnce).map((batch) => this.#export(batch)))
    }
  }

  /** Takes nothing more, and exports what waits. */
  end(): Promise<void> {
    this.#ended ??= this.flush().then(() => this.#options.exporter.shutdown())
    return this.#ended
  }

  #wireOf({ resource, instrumentationScope }: Item): Wire {
    for (const origin of this.#open) {
      if (origin.instrumentationScope === instrumentationScope && origin.resource === resource)
        return origin.wire
    }
    const wire = new Wire()
    this.#open.push({ resource, instrumentationScope, wire })
    return wire
  }

  #next(): void {
    this.#close()
    this.#send()
  }

  /** What is open becomes a batch. */
  #close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#openCount === 0) return
    const written = this.#open.filter(({ wire }) => wire.length > 0)
    const groups = written.map(({ wire, ...origin }) => ({ ...origin, items: wire.take() }))
    const bytes = groups.reduce((sum, { items }) => sum + items.length, 0)
    this.#full.push({ groups, bytes, count: this.#openCount })
    this.#fullCount += this.#openCount
    this.#fullBytes += bytes
    this.#openCount = 0
  }

  /** One at a time. */
  #send(): void {
    if (this.#exporting !== null) return
    const batch = this.#full.shift()
    if (!batch) return
    this.#fullCount -= batch.count
    this.#fullBytes -= batch.bytes
    this.#exporting = this.#export(batch).finally(() => {
      this.#exporting = null
      this.#send()
    })
  }

  async #export(batch: Batch): Promise<void> {
    const { exporter, name, exportTimeoutMillis = 30_000 } = this.#options
    for (const { resource } of batch.groups) {
      if (resource.asyncAttributesPending) await resource.waitForAsyncAttributes?.()
    }
    await new Promise<void>((resolve) => {
      const failed = (error: Error) => {
        core.globalErrorHandler(error)
        resolve()
      }
      const timer = setTimeout(() => failed(new Error('Timeout')), exportTimeoutMillis).unref()
      // The export is no part of anybody's trace.
      context.with(core.suppressTracing(ROOT_CONTEXT), () =>
        exporter.export(batch, ({ code, error }) => {
          clearTimeout(timer)
          if (code === core.ExportResultCode.SUCCESS) resolve()
          else failed(error ?? new Error(`${name} could not be exported`))
        }),
      )
    })
  }
}
