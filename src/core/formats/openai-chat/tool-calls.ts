import { arrayOf, countOf, isObject, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { textOrJson } from '../json-text.ts'
import type { ToolCall } from '../reply-events.ts'

/** The tool calls of one choice, put together from deltas or read from a message. */
export class ChatToolCalls {
  readonly #calls: Call[] = []
  /** The last call begun under an index. */
  readonly #open = new Map<number, Call>()
  #legacy: Call | undefined

  /** True where the delta or message held a piece of a call. */
  read(message: JsonObject): boolean {
    const deltas = arrayOf(message.tool_calls)
    for (const delta of deltas) this.#append(objectOf(delta))
    const legacy = isObject(message.function_call) ? message.function_call : undefined
    if (legacy) {
      this.#legacy ??= { index: 0, id: '', name: '', input: '', custom: false }
      appendTo(this.#legacy, '', legacy)
    }
    return deltas.length > 0 || legacy !== undefined
  }

  /** As far as they came, in the order of their index. */
  all(): ToolCall[] {
    const calls = [...this.#calls].sort((a, b) => a.index - b.index)
    if (this.#legacy) calls.push(this.#legacy)
    return calls.map(({ id, name, input, custom }) => ({
      toolCallId: id,
      tool: name,
      input,
      ...(custom ? { metadata: { type: 'custom' } } : {}),
    }))
  }

  #append(delta: JsonObject): void {
    const custom = isObject(delta.custom)
    const content = objectOf(custom ? delta.custom : delta.function)
    const id = stringOf(delta.id) ?? ''
    const index = countOf(delta.index)
    const open = this.#openCall(index, id, content)
    const call = open ?? { index: index ?? this.#calls.length, id, name: '', input: '', custom }
    if (!open) {
      this.#calls.push(call)
      this.#open.set(call.index, call)
    }
    appendTo(call, id, content)
  }

  /** The call that a delta goes on with; undefined where it begins one. */
  #openCall(index: number | undefined, id: string, { name }: JsonObject): Call | undefined {
    const open = index === undefined ? this.#calls.at(-1) : this.#open.get(index)
    if (!open || !name) return open
    // Vendors that give every call index 0, or none, tell calls apart by id, or only by a new name.
    if (id !== '') return open.id === '' || open.id === id ? open : undefined
    return index === undefined && open.name !== '' ? undefined : open
  }
}

interface Call {
  readonly index: number
  id: string
  name: string
  input: string
  readonly custom: boolean
}

function appendTo(call: Call, id: string, content: JsonObject): void {
  // Some vendors repeat id and name with every piece.
  call.id = call.id || id
  call.name = stringOf(content.name) || call.name
  call.input += textOrJson(content.arguments ?? content.input)
}
