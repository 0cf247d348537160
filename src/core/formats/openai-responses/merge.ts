import { arrayOf, countOf, isObject, type JsonObject, objectOf, stringOf } from '../../json.ts'
import type { Frame } from '../../sse.ts'
import { frameText, type InjectedCall, type Merger } from '../../tool-rounds/dialect.ts'
import { sumUsage } from '../../tool-rounds/sum-usage.ts'
import { eventName, peekJson } from '../frame-json.ts'
import { textOrJson } from '../json-text.ts'

/** One response of several: begun under the first one's id, completed under the last one's, with the items of all. */
export class ResponseMerger implements Merger {
  readonly #isInjected: (tool: string) => boolean
  #round = 0
  /** False as long as the client gets the upstream's very bytes. */
  #edited = false
  #sequence = -1
  /** Items that the client has got so far, and those of earlier rounds among them. */
  #shown = 0
  #output: JsonObject[] = []
  /** This round's items by their index: under which one the client got them, null where it did not. */
  #indexes = new Map<number, number | null>()
  /** Ids of items that the client does not get. */
  #hidden = new Set<unknown>()
  #items = new Map<number, JsonObject>()
  #ending: Frame[] = []
  #status: unknown
  /** Of the rounds before, and of this one. */
  #priorUsage: JsonObject = {}
  #usage: JsonObject = {}
  #last: JsonObject = {}

  constructor(isInjected: (tool: string) => boolean) {
    this.#isInjected = isInjected
  }

  nextRound(): void {
    this.#output.push(...this.#shownItems())
    this.#round++
    this.#edited = true
    this.#indexes = new Map()
    // Some upstreams give ids anew in each response.
    this.#hidden = new Set()
    this.#items = new Map()
    this.#ending = []
    this.#status = undefined
    this.#priorUsage = sumUsage(this.#priorUsage, this.#usage)
    this.#usage = {}
  }

  frame(frame: Frame): Frame | string | null {
    const event = objectOf(peekJson(frame))
    const type = eventName(frame) || stringOf(event.type) || ''
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return this.#round === 0 ? this.#passed(frame, event) : null
      case 'response.output_item.added':
        this.#begin(event)
        return this.#passed(frame, event)
      case 'response.output_item.done':
        if (!this.#indexes.has(indexOf(event))) this.#begin(event)
        this.#items.set(indexOf(event), objectOf(event.item))
        return this.#passed(frame, event)
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        this.#read(objectOf(event.response), type.replace('response.', ''))
        if (this.calls.length === 0) return this.#edited ? this.#final(frame) : frame
        this.#ending.push(frame)
        return null
      default:
        return this.#passed(frame, event)
    }
  }

  body(body: JsonObject): void {
    this.#last = body
    // Some gateways tell none.
    this.#read(body, body.status ?? 'completed')
  }

  get calls(): readonly InjectedCall[] {
    return this.#inOrder()
      .filter((item) => this.#isCall(item))
      .map((item) => ({
        id: stringOf(item.call_id) ?? '',
        tool: String(item.name),
        input: textOrJson(item.arguments),
        item,
      }))
  }

  /** Reasoning is refused in a request without the item that came of it. */
  anchorOf({ item }: InjectedCall): string | undefined {
    const items = this.#inOrder()
    const before = items.slice(0, item ? items.indexOf(item) : 0)
    const shown = before.findLast((each) => !this.#isCall(each)) ?? {}
    return shown.type === 'reasoning' ? anchorName(shown) : undefined
  }

  get ownCalls(): readonly string[] {
    const items = this.#shownItems()
    return items.filter((item) => isClients(item) && !isAnswered(item, items)).map(callName)
  }

  get runnable(): boolean {
    return this.#status === 'completed' && this.calls.length > 0
  }

  answer(): JsonObject[] {
    return this.#inOrder()
  }

  ending(): string {
    const frames = this.#ending
    this.#ending = []
    return frames.map((frame) => this.#final(frame)).join('')
  }

  whole(): JsonObject {
    return this.#merged(this.#last)
  }

  nextNumber(): number {
    return ++this.#sequence
  }

  #begin(event: JsonObject): void {
    const item = objectOf(event.item)
    const index = indexOf(event)
    const hidden = this.#isCall(item)
    this.#edited ||= hidden
    if (hidden) this.#hidden.add(item.id)
    this.#indexes.set(index, hidden ? null : this.#edited ? this.#shown : index)
    if (!hidden) this.#shown = this.#edited ? this.#shown + 1 : Math.max(this.#shown, index + 1)
  }

  /** An event with the numbers that it has in the merged stream. */
  #passed(frame: Frame, event: JsonObject): Frame | string | null {
    const item = event.item_id ?? objectOf(event.item).id
    if (item !== undefined && this.#hidden.has(item)) return null
    const index = countOf(event.output_index)
    const shown = index === undefined ? undefined : this.#indexes.get(index)
    if (shown === null) return null
    if (!this.#edited) {
      this.#sequence = countOf(event.sequence_number) ?? this.#sequence
      return frame
    }
    return frameText(frame.event, {
      ...event,
      ...(shown !== undefined && { output_index: shown }),
      ...this.#numbered(event),
    })
  }

  #numbered({ sequence_number }: JsonObject): JsonObject {
    return sequence_number === undefined ? {} : { sequence_number: this.nextNumber() }
  }

  #read(response: JsonObject, status: unknown): void {
    this.#status = status
    if (isObject(response.usage)) this.#usage = response.usage
    // The final response repeats all items; some gateways tell them only there.
    for (const [at, item] of arrayOf(response.output).map(objectOf).entries()) {
      this.#items.set(this.#placeOf(item, at), item)
      this.#edited ||= this.#isCall(item)
    }
  }

  /** Some gateways leave out indexes while they stream. */
  #placeOf({ id }: JsonObject, at: number): number {
    const isSame = (index: number) => id !== undefined && this.#items.get(index)?.id === id
    return isSame(at) ? at : (this.#items.keys().find(isSame) ?? at)
  }

  #final(frame: Frame): string {
    const event = objectOf(peekJson(frame))
    const response = this.#merged(objectOf(event.response))
    return frameText(frame.event, { ...event, response, ...this.#numbered(event) })
  }

  #merged(response: JsonObject): JsonObject {
    const usage = sumUsage(this.#priorUsage, this.#usage)
    return {
      ...response,
      output: [...this.#output, ...this.#shownItems()],
      ...(Object.keys(usage).length > 0 && { usage }),
    }
  }

  #inOrder(): JsonObject[] {
    return [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item)
  }

  #shownItems(): JsonObject[] {
    return this.#inOrder().filter((item) => !this.#isCall(item))
  }

  /** Ours are in no namespace. */
  #isCall({ type, name, namespace }: JsonObject): boolean {
    if (type !== 'function_call' || (namespace ?? null) !== null) return false
    return typeof name === 'string' && this.#isInjected(name)
  }
}

/** By what calls behind an item are kept. Short ids some upstreams give again and again. */
export function anchorName({ id }: JsonObject): string | undefined {
  return typeof id === 'string' && id.length >= 20 ? `behind ${id}` : undefined
}

/** By what a call of the client's is named where it is answered. */
function callName({ call_id, id }: JsonObject): string {
  return stringOf(call_id) ?? stringOf(id) ?? ''
}

function isClients({ type, execution }: JsonObject): boolean {
  if (type === 'tool_search_call') return execution === 'client'
  return typeof type === 'string' && clientRun.has(type)
}

/** A shell of the provider's own: its output is there already. */
function isAnswered({ type, call_id }: JsonObject, items: readonly JsonObject[]): boolean {
  const output = `${String(type)}_output`
  return items.some((item) => item.type === output && item.call_id === call_id)
}

/** Calls that wait for the client. */
const clientRun: ReadonlySet<string> = new Set([
  'function_call',
  'custom_tool_call',
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
  'computer_call',
  'mcp_approval_request',
])

function indexOf(event: JsonObject): number {
  return countOf(event.output_index) ?? 0
}
