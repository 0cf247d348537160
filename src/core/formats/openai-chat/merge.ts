import { arrayOf, isObject, type JsonObject, objectOf, parseJson, stringOf } from '../../json.ts'
import type { Frame } from '../../sse.ts'
import { frameText, type InjectedCall, type Merger } from '../../tool-rounds/dialect.ts'
import { sumUsage } from '../../tool-rounds/sum-usage.ts'
import { peekJson } from '../frame-json.ts'
import { AssistantMessage } from './assistant-message.ts'

/** One completion of several: it keeps the first one's id and has the text of all, less the calls of our tools. */
export class ChatMerger implements Merger {
  readonly #isInjected: (tool: string) => boolean
  #message: AssistantMessage
  /** False as long as the client gets the upstream's very bytes. */
  #edited = false
  #roleTold = false
  #id: unknown
  #finish: unknown
  #ended = false
  #ending: Frame[] = []
  /** Of the rounds before, and of this one. */
  #priorUsage: JsonObject = {}
  #usage: JsonObject = {}
  /** The messages of whole bodies. */
  #shown: JsonObject = {}
  #last: JsonObject = {}

  constructor(isInjected: (tool: string) => boolean) {
    this.#isInjected = isInjected
    this.#message = new AssistantMessage(isInjected)
  }

  nextRound(): void {
    this.#message = new AssistantMessage(this.#isInjected)
    this.#edited = true
    this.#finish = undefined
    this.#ended = false
    this.#ending = []
    this.#priorUsage = sumUsage(this.#priorUsage, this.#usage)
    this.#usage = {}
  }

  frame(frame: Frame): Frame | string | null {
    if (frame.data.startsWith('[DONE]')) {
      this.#ended = true
      return this.#hold(frame)
    }
    const chunk = peekJson(frame)
    if (!isObject(chunk) || (chunk.error ?? null) !== null) return frame
    const choice = objectOf(arrayOf(chunk.choices)[0])
    const { calls, rest } = this.#message.append(objectOf(choice.delta))
    this.#read(chunk, choice)
    this.#edited ||= this.calls.length > 0
    if (!this.#edited) {
      this.#roleTold ||= typeof rest.role === 'string'
      return frame
    }
    const delta = this.#deltaFor(rest, calls)
    const ends = typeof choice.finish_reason === 'string' || isObject(chunk.usage)
    if (ends && this.calls.length > 0) {
      this.#ending.push(frame)
      if (!delta) return null
      const words = { ...choice, delta, finish_reason: null }
      return frameText(frame.event, { ...chunk, id: this.#id, choices: [words], usage: null })
    }
    if (!delta && !ends) return null
    return this.#final(frame, delta ?? {})
  }

  body(body: JsonObject): void {
    const choice = objectOf(arrayOf(body.choices)[0])
    const message = objectOf(choice.message)
    this.#message.append(message)
    this.#read(body, choice)
    this.#ended = true
    this.#last = body
    const { tool_calls: _, ...words } = message
    this.#shown = joined(this.#shown, words)
  }

  get calls(): readonly InjectedCall[] {
    return this.#message.calls
  }

  get ownCalls(): readonly string[] {
    return this.#message.ownCalls.map(({ id }) => String(id))
  }

  /** Cut short by a limit, a call may be half of one. Some vendors say `stop` where they call tools, or nothing. */
  get runnable(): boolean {
    const reason = this.#finish ?? (this.#ended ? 'stop' : undefined)
    return this.calls.length > 0 && completes.has(reason)
  }

  answer(): JsonObject[] {
    return [this.#message.asked()]
  }

  ending(): string {
    const frames = this.#ending
    this.#ending = []
    return frames.map((frame) => this.#final(frame, {})).join('')
  }

  whole(): JsonObject {
    const [choice] = arrayOf(this.#last.choices)
    const own = this.#message.ownCalls
    const message = { ...this.#shown, ...(own.length > 0 && { tool_calls: own }) }
    const choices = [{ ...objectOf(choice), message }]
    const usage = sumUsage(this.#priorUsage, this.#usage)
    return { ...this.#last, id: this.#id, choices, usage }
  }

  nextNumber(): number {
    return 0
  }

  #read({ id, usage }: JsonObject, { finish_reason }: JsonObject): void {
    this.#id ??= id
    this.#finish = finish_reason ?? this.#finish
    if (isObject(usage)) this.#usage = usage
  }

  #hold(frame: Frame): Frame | null {
    if (this.calls.length === 0) return frame
    this.#ending.push(frame)
    return null
  }

  /** What of a delta the client is told; null where that is nothing. */
  #deltaFor({ role, ...rest }: JsonObject, calls: readonly unknown[]): JsonObject | null {
    const says = calls.length > 0 || Object.values(rest).some(isSomething)
    const told = this.#roleTold
    if (!says && (told || role === undefined)) return null
    this.#roleTold ||= role !== undefined
    return {
      ...(role !== undefined && !told && { role }),
      ...rest,
      ...(calls.length > 0 && { tool_calls: calls }),
    }
  }

  #final(frame: Frame, delta: JsonObject): string {
    const chunk = parseJson(frame.data)
    if (!isObject(chunk)) return `data: ${frame.data}\n\n`
    const choices = arrayOf(chunk.choices).map((choice) => ({ ...objectOf(choice), delta }))
    const usage = isObject(chunk.usage) && { usage: sumUsage(this.#priorUsage, chunk.usage) }
    return frameText(frame.event, { ...chunk, id: this.#id, choices, ...usage })
  }
}

const completes: ReadonlySet<unknown> = new Set(['tool_calls', 'stop', 'function_call'])

function isSomething(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && stringOf(value) !== ''
}

/** Texts and lists of the messages one behind the other; of anything else the later one. */
function joined(earlier: JsonObject, later: JsonObject): JsonObject {
  const message: Record<string, unknown> = { ...earlier }
  for (const [name, value] of Object.entries(later)) {
    const before = message[name]
    if (name !== 'role' && typeof before === 'string' && typeof value === 'string') {
      message[name] = before + value
    } else if (Array.isArray(before) && Array.isArray(value)) message[name] = [...before, ...value]
    else message[name] = value ?? before ?? null
  }
  return message
}
