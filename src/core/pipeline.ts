import type { Diagnostics } from './diagnostics.ts'
import { messageOf } from './errors.ts'
import { maskOf } from './event-mask.ts'
import type { EndEvent, InterceptionEvent } from './events.ts'
import { endId, recordId, startId } from './ids.ts'
import type { Interception } from './interception.ts'
import { Lane, type LaneHost } from './lane.ts'
import { type PlainBody, plainBody } from './plain-body.ts'
import type { Plugin } from './plugin.ts'
import { sizeOf, withoutContent } from './record-content.ts'
import type { RecorderQueue } from './recorder-queue.ts'
import type {
  InterceptionEnd,
  InterceptionRecord,
  InterceptionStart,
  RecordBody,
} from './records.ts'
import { timestamp } from './timestamp.ts'
import type { RequestTrace } from './tracing/request-trace.ts'

export interface PipelineOptions {
  readonly plugins: readonly Plugin[]
  readonly queues: readonly RecorderQueue[]
  readonly diagnostics: Diagnostics
  /** Per plugin and interception. */
  readonly maxRecords: number
  /** How long observers may go on after the end, in ms. */
  readonly settleTimeout: number
  /** False: no prompts, tool inputs, results or reasoning leave the process. */
  readonly recordContent: boolean
}

/**
 * What is recorded of one interception: its start, what the plugins observe, its end. Start and end are core's
 * own; each plugin has a lane of its own.
 */
export class Pipeline implements LaneHost {
  readonly interception: Interception
  readonly #options: PipelineOptions
  readonly #trace: RequestTrace | null
  readonly #lanes: Lane[] = []
  /** Records that may be written again, by id; made for the first of them. */
  #keyed: Map<string, Place> | null = null
  #seq = 0
  #ended = false

  constructor(
    interception: Interception,
    start: InterceptionStart,
    options: PipelineOptions,
    trace: RequestTrace | null = null,
  ) {
    this.#options = options
    this.#trace = trace
    this.interception = interception
    // The other way round each member would be added by itself.
    this.#record({ ...start, type: 'interception_start' }, this.#place(startId(interception.id)))
    for (const plugin of options.plugins) {
      if (plugin.observe) this.#lanes.push(new Lane(plugin, this))
    }
  }

  emit(events: readonly InterceptionEvent[], mask: number = maskOf(events)): void {
    if (events.length === 0) return
    for (const lane of this.#lanes) lane.next(events, mask)
  }

  looksAt(mask: number): boolean {
    return this.#lanes.some((lane) => lane.looksAt(mask))
  }

  /**
   * Ends the lanes and records the end. Resolves one `setImmediate` later, when all that is not late was handed
   * to the recorders; what observers emit after that is stored as late and never waited for.
   */
  async end(event: EndEvent, end: InterceptionEnd): Promise<void> {
    this.emit([Object.freeze(event)])
    for (const lane of this.#lanes) lane.complete()
    await new Promise((resolve) => setImmediate(resolve))
    this.#record({ ...end, type: 'interception_end' }, this.#place(endId(this.interception.id)))
    this.#ended = true
    if (this.#lanes.every(({ done }) => done)) return
    setTimeout(() => this.#close(), this.#options.settleTimeout).unref()
  }

  #close(): void {
    for (const lane of this.#lanes) {
      if (lane.done) continue
      lane.fail(
        new Error(`did not end within ${this.#options.settleTimeout} ms of its interception`),
      )
    }
  }

  /** Records what a lane's observer emitted. */
  take(lane: Lane, emitted: unknown): void {
    let plain: PlainBody
    try {
      plain = plainBody(emitted)
    } catch (error) {
      this.failed(lane.plugin, error)
      return
    }
    const { body, key, provisional } = plain
    const name = key === undefined ? `#${lane.records}` : `=${key}`
    const id = recordId(this.interception.id, lane.plugin.name, `${body.type} ${name}`)
    let place = this.#keyed?.get(id)
    if (!place) {
      const count = lane.records++
      if (count >= this.#options.maxRecords) {
        this.#tooMany(lane.plugin, count)
        this.#traceLost(body, provisional)
        return
      }
      place = this.#place(id)
      if (key !== undefined) {
        this.#keyed ??= new Map()
        this.#keyed.set(id, place)
      }
    }
    this.#record(body, place, provisional)
  }

  #place(id: string): Place {
    return { id, seq: this.#seq++, createdAt: timestamp() }
  }

  /** Makes a record of the body, which is the pipeline's own from here on, for all who want it. */
  #record(own: RecordBody, { id, seq, createdAt }: Place, provisional = false): void {
    const { queues, recordContent } = this.#options
    let record: Writable<InterceptionRecord> | null = null
    let bytes = 0
    let taken = true
    const span = (!provisional && this.#trace?.recording(own.type)) || null
    for (const queue of queues) {
      if (provisional && !queue.plugin.provisional) continue
      if (!record) {
        record = (recordContent ? own : withoutContent(own)) as Writable<InterceptionRecord>
        record.id = id
        record.interceptionId = this.interception.id
        record.seq = seq
        record.createdAt = createdAt
        if (this.#ended) record.late = true
        Object.freeze(record)
        bytes = sizeOf(record)
      }
      if (!queue.push(record, bytes)) taken = false
    }
    if (!taken) span?.fail('a recorder takes no more records')
    span?.end()
  }

  #traceLost({ type }: RecordBody, provisional = false): void {
    if (provisional) return
    const span = this.#trace?.recording(type)
    span?.fail('more records than max-records')
    span?.end()
  }

  #tooMany(plugin: Plugin, count: number): void {
    this.#options.diagnostics.count('records_dropped', {
      recorder: plugin.name,
      reason: 'max_records',
    })
    if (count > this.#options.maxRecords) return
    this.#options.diagnostics.log('warn', `plugin ${plugin.name} made more than ${count} records`, {
      interception_id: this.interception.id,
    })
  }

  /** Counts and logs a plugin's fault. */
  failed(plugin: Plugin, error: unknown): void {
    this.#options.diagnostics.count('plugin_errors', { plugin: plugin.name })
    this.#options.diagnostics.log('error', `plugin ${plugin.name} failed: ${messageOf(error)}`, {
      plugin: plugin.name,
      interception_id: this.interception.id,
    })
  }
}

/** A record's id, and where and when it was first seen. */
interface Place {
  readonly id: string
  readonly seq: number
  readonly createdAt: string
}

type Writable<T> = { -readonly [Member in keyof T]: T[Member] }
