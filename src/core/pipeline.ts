import type { Diagnostics } from './diagnostics.ts'
import { messageOf } from './errors.ts'
import type { EndEvent, InterceptionEvent } from './events.ts'
import { endId, recordId, startId } from './ids.ts'
import type { Interception } from './interception.ts'
import { Lane } from './lane.ts'
import { type PlainBody, plainBody } from './plain-body.ts'
import type { Plugin } from './plugin.ts'
import { withoutContent } from './record-content.ts'
import type { RecorderQueue } from './recorder-queue.ts'
import type {
  InterceptionEnd,
  InterceptionRecord,
  InterceptionStart,
  RecordBody,
} from './records.ts'

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

type Writable<T> = { -readonly [Member in keyof T]: T[Member] }

/**
 * What is recorded of one interception: its start, what the plugins observe, its end. Start and end are core's
 * own; each plugin has a lane of its own.
 */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #interception: Interception
  readonly #lanes: Lane[]
  readonly #counts = new Map<Plugin, number>()
  readonly #seen = new Map<string, { seq: number; createdAt: string }>()
  #seq = 0
  #ended = false

  constructor(interception: Interception, start: InterceptionStart, options: PipelineOptions) {
    this.#options = options
    this.#interception = interception
    this.#push(startId(interception.id), { type: 'interception_start', ...start }, false)
    this.#lanes = options.plugins
      .filter((plugin) => plugin.observe)
      .map((plugin) => {
        const take = (from: Plugin, body: unknown) => this.#take(from, body)
        const failed = (from: Plugin, error: unknown) => this.#failed(from, error)
        return new Lane({ plugin, interception, take, failed })
      })
  }

  emit(events: readonly InterceptionEvent[]): void {
    if (events.length === 0) return
    // Mostly one event at a time comes: a delta that no capturer looks at.
    const [only] = events
    const types =
      events.length === 1 && only ? [only.type] : [...new Set(events.map(({ type }) => type))]
    for (const lane of this.#lanes) lane.next(events, types)
  }

  /**
   * Ends the lanes and records the end. Resolves one `setImmediate` later, when all that is not late was handed
   * to the recorders; what observers emit after that is stored as late and never waited for.
   */
  async end(event: EndEvent, end: InterceptionEnd): Promise<void> {
    this.emit([Object.freeze(event)])
    for (const lane of this.#lanes) lane.complete()
    await new Promise((resolve) => setImmediate(resolve))
    this.#push(endId(this.#interception.id), { type: 'interception_end', ...end }, false)
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

  #take(plugin: Plugin, emitted: unknown): void {
    let plain: PlainBody
    try {
      plain = plainBody(emitted)
    } catch (error) {
      this.#failed(plugin, error)
      return
    }
    const { body, key, provisional } = plain
    const count = this.#counts.get(plugin) ?? 0
    const name = key === undefined ? `#${count}` : `=${key}`
    const id = recordId(this.#interception.id, plugin.name, `${body.type} ${name}`)
    if (!this.#seen.has(id)) {
      this.#counts.set(plugin, count + 1)
      if (count >= this.#options.maxRecords) {
        this.#tooMany(plugin, count)
        return
      }
    }
    this.#push(id, body, provisional)
  }

  /** Makes a record of the body, which is the pipeline's own from here on. */
  #push(id: string, own: RecordBody, provisional: boolean): void {
    let first = this.#seen.get(id)
    if (!first) {
      first = { seq: this.#seq++, createdAt: new Date().toISOString() }
      this.#seen.set(id, first)
    }
    const { queues, recordContent } = this.#options
    const takers = provisional ? queues.filter(({ plugin }) => plugin.provisional) : queues
    if (takers.length === 0) return
    const body = recordContent ? own : withoutContent(own)
    const record = body as Writable<InterceptionRecord>
    record.id = id
    record.interceptionId = this.#interception.id
    record.seq = first.seq
    record.createdAt = first.createdAt
    if (this.#ended) record.late = true
    Object.freeze(record)
    for (const queue of takers) queue.push(record)
  }

  #tooMany(plugin: Plugin, count: number): void {
    this.#options.diagnostics.count('records_dropped', {
      recorder: plugin.name,
      reason: 'max_records',
    })
    if (count > this.#options.maxRecords) return
    this.#options.diagnostics.log('warn', `plugin ${plugin.name} made more than ${count} records`, {
      interception_id: this.#interception.id,
    })
  }

  #failed(plugin: Plugin, error: unknown): void {
    this.#options.diagnostics.count('plugin_errors', { plugin: plugin.name })
    this.#options.diagnostics.log('error', `plugin ${plugin.name} failed: ${messageOf(error)}`, {
      plugin: plugin.name,
      interception_id: this.#interception.id,
    })
  }
}
