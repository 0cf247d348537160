import {
  arrayOf,
  countOf,
  isObject,
  type JsonObject,
  objectOf,
  parseJson,
  stringOf,
} from '../../json.ts'
import type { Frame } from '../../sse.ts'
import { frameText, type InjectedCall, type Merger } from '../../tool-rounds/dialect.ts'
import { sumUsage } from '../../tool-rounds/sum-usage.ts'
import { eventName, peekJson } from '../frame-json.ts'
import { Blocks } from './blocks.ts'

/** One message of several: it keeps the first one's id and has the blocks of all, less the calls of our tools. */
export class MessageMerger implements Merger {
  calls: InjectedCall[] = []
  ownCalls: string[] = []
  readonly #isInjected: (tool: string) => boolean
  #round = 0
  /** False as long as the client gets the upstream's very bytes. */
  #edited = false
  /** Blocks that the client has got so far. */
  #shown = 0
  /** This round's indexes: under which number the client got them, null where it did not. */
  #indexes = new Map<number, number | null>()
  #blocks = new Blocks()
  /** Of calls that have begun and not ended. */
  readonly #open = new Set<number>()
  #ending: Frame[] = []
  #stopReason: unknown
  /** Where code of the model's was run; later rounds may not name it again. */
  #container: unknown
  #ended = false
  /** Of the rounds before, and of this one. */
  #priorUsage: JsonObject = {}
  #usage: JsonObject = {}
  #id: unknown
  #content: JsonObject[] = []
  #last: JsonObject = {}

  constructor(isInjected: (tool: string) => boolean) {
    this.#isInjected = isInjected
  }

  nextRound(): void {
    this.#round++
    this.#edited = true
    this.calls = []
    this.ownCalls = []
    this.#open.clear()
    this.#indexes = new Map()
    this.#blocks = new Blocks()
    this.#ending = []
    this.#stopReason = undefined
    this.#ended = false
    this.#priorUsage = sumUsage(this.#priorUsage, this.#usage)
    this.#usage = {}
  }

  frame(frame: Frame): Frame | string | null {
    const name = eventName(frame)
    if (name === 'ping') return frame
    const event = objectOf(peekJson(frame))
    switch (name || event.type) {
      case 'message_start':
        this.#read(objectOf(event.message))
        return this.#round === 0 ? frame : null
      case 'content_block_start':
        return this.#start(frame, event)
      case 'content_block_delta':
        this.#blocks.append(countOf(event.index) ?? 0, objectOf(event.delta))
        return this.#renumbered(frame, event)
      case 'content_block_stop':
        this.#stop(countOf(event.index) ?? 0)
        return this.#renumbered(frame, event)
      case 'message_delta':
        this.#read({ ...objectOf(event.delta), usage: event.usage })
        return this.#end(frame)
      case 'message_stop':
        this.#ended = true
        return this.#end(frame)
      default:
        return frame
    }
  }

  body(body: JsonObject): void {
    this.#read(body)
    this.#ended = true
    this.#last = body
    for (const [index, block] of arrayOf(body.content).map(objectOf).entries()) {
      this.#blocks.open(index, block)
      if (block.type === 'tool_use') this.#open.add(index)
      if (!this.#isCall(block)) this.#content.push(block)
      this.#stop(index)
    }
  }

  /** Cut short by a limit, a call may be half of one. */
  get runnable(): boolean {
    return this.calls.length > 0 && this.#ended && completes.has(this.#stopReason)
  }

  /** What was made there is gone in another. */
  get carried(): JsonObject {
    const { id } = objectOf(this.#container)
    return typeof id === 'string' ? { container: id } : {}
  }

  answer(): JsonObject[] {
    return this.#blocks.all()
  }

  ending(): string {
    const frames = this.#ending
    this.#ending = []
    return frames.map((frame) => this.#final(frame)).join('')
  }

  whole(): JsonObject {
    const usage = sumUsage(this.#priorUsage, this.#usage)
    return { ...this.#last, id: this.#id, content: this.#content, ...this.#contained(), usage }
  }

  nextNumber(): number {
    return this.#shown
  }

  #read(message: JsonObject): void {
    this.#id ??= message.id
    this.#stopReason = message.stop_reason ?? this.#stopReason
    this.#container = message.container ?? this.#container
    if (isObject(message.usage)) this.#usage = overlaid(this.#usage, message.usage)
  }

  #start(frame: Frame, event: JsonObject): Frame | string | null {
    const index = countOf(event.index) ?? 0
    const block = objectOf(event.content_block)
    this.#blocks.open(index, block)
    if (block.type === 'tool_use') this.#open.add(index)
    const hidden = this.#isCall(block)
    this.#edited ||= hidden
    this.#indexes.set(index, hidden ? null : this.#edited ? this.#shown : index)
    if (!hidden) this.#shown = this.#edited ? this.#shown + 1 : Math.max(this.#shown, index + 1)
    return this.#renumbered(frame, event)
  }

  #stop(index: number): void {
    const block = this.#blocks.close(index)
    if (!this.#open.delete(index)) return
    if (!this.#isCall(block)) {
      this.ownCalls.push(stringOf(block.id) ?? '')
      return
    }
    const input = this.#blocks.inputOf(index)
    this.calls.push({ id: stringOf(block.id) ?? '', tool: String(block.name), input })
  }

  #renumbered(frame: Frame, event: JsonObject): Frame | string | null {
    const index = countOf(event.index) ?? 0
    const shown = this.#indexes.get(index) ?? (this.#indexes.has(index) ? null : index)
    if (shown === null) return null
    return shown === index ? frame : frameText(frame.event, { ...event, index: shown })
  }

  /** Whether the reply ends here is known when the round has ended. */
  #end(frame: Frame): Frame | string | null {
    // Some vendors don't say where a call ends.
    for (const index of this.#open) this.#stop(index)
    if (this.calls.length === 0) return this.#edited ? this.#final(frame) : frame
    this.#ending.push(frame)
    return null
  }

  #final(frame: Frame): string {
    const event = objectOf(parseJson(frame.data))
    if ((eventName(frame) || event.type) !== 'message_delta') return frameText(frame.event, event)
    const usage = sumUsage(this.#priorUsage, this.#usage)
    const delta = { ...objectOf(event.delta), ...this.#contained() }
    return frameText(frame.event, { ...event, delta, usage })
  }

  #contained(): JsonObject {
    return this.#container === undefined ? {} : { container: this.#container }
  }

  #isCall({ type, name }: JsonObject): boolean {
    return type === 'tool_use' && typeof name === 'string' && this.#isInjected(name)
  }
}

const completes: ReadonlySet<unknown> = new Set(['tool_use', 'end_turn', null, undefined])

/** A later figure replaces an earlier one of the same reply; one that is null says nothing. */
function overlaid(earlier: JsonObject, later: JsonObject): JsonObject {
  const told = Object.entries(later).map(([name, value]) => [name, value ?? earlier[name] ?? null])
  return { ...earlier, ...Object.fromEntries(told) }
}
