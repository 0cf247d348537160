import { arrayOf, countOf, isObject, type JsonObject, objectOf, stringOf } from '../../json.ts'
import type { InjectedCall } from '../../tool-rounds/dialect.ts'

/** The message of one round, put together from its deltas: whose tools it calls, and its form in a request. */
export class AssistantMessage {
  readonly #isInjected: (tool: string) => boolean
  readonly #calls: Call[] = []
  /** The last call begun under an index. */
  readonly #open = new Map<number, Call>()
  #content = ''
  #reasoning = ''
  #details: unknown[] = []
  #own = 0

  constructor(isInjected: (tool: string) => boolean) {
    this.#isInjected = isInjected
  }

  /** Adds a delta, or a whole message: gives the pieces of the client's own calls, renumbered, and all else of it. */
  append({ tool_calls, ...rest }: JsonObject): { calls: JsonObject[]; rest: JsonObject } {
    if (typeof rest.content === 'string') this.#content += rest.content
    if (typeof rest.reasoning_content === 'string') this.#reasoning += rest.reasoning_content
    this.#details.push(...arrayOf(rest.reasoning_details))
    const calls = arrayOf(tool_calls)
      .map((piece) => this.#appendPiece(objectOf(piece)))
      .filter((piece) => piece !== null)
    return { calls, rest }
  }

  get calls(): readonly InjectedCall[] {
    return this.#inOrder()
      .filter(({ injected }) => injected)
      .map(({ id, name, input }) => ({ id, tool: name, input }))
  }

  /** The client's calls, as a whole message has them. */
  get ownCalls(): JsonObject[] {
    return this.#inOrder()
      .filter(({ injected }) => !injected)
      .map(wholeCall)
  }

  /** As a request repeats it. What vendors want back of their reasoning is theirs alone: others sent none. */
  asked(): JsonObject {
    return {
      role: 'assistant',
      content: this.#content === '' ? null : this.#content,
      ...(this.#reasoning !== '' && { reasoning_content: this.#reasoning }),
      ...(this.#details.length > 0 && { reasoning_details: this.#details }),
      tool_calls: this.#inOrder()
        .filter(({ name, fields }) => name !== '' || fields.custom !== undefined)
        .map((call, at) => wholeCall({ ...call, id: call.id || madeUpId(at) })),
    }
  }

  #appendPiece(piece: JsonObject): JsonObject | null {
    const call = this.#callOf(piece)
    const content = objectOf(piece.function)
    call.id ||= stringOf(piece.id) ?? ''
    call.name ||= stringOf(content.name) ?? ''
    call.input += stringOf(content.arguments) ?? ''
    if (call.injected) return null
    return piece.index === undefined ? piece : { ...piece, index: call.shown }
  }

  /** The call that a piece goes on with, or a new one. */
  #callOf(piece: JsonObject): Call {
    const index = countOf(piece.index)
    const id = stringOf(piece.id) ?? ''
    const name = stringOf(objectOf(piece.function).name) ?? ''
    const open = index === undefined ? this.#calls.at(-1) : this.#open.get(index)
    if (open && !begins({ index, id, name }, open)) return open
    const injected = this.#isInjected(name)
    const { index: _, function: __, custom, ...fields } = piece
    const call: Call = {
      fields: isObject(custom) ? { ...fields, custom } : fields,
      index: index ?? this.#calls.length,
      id: '',
      name: '',
      input: '',
      injected,
      shown: injected ? -1 : this.#own++,
    }
    this.#calls.push(call)
    this.#open.set(call.index, call)
    return call
  }

  #inOrder(): Call[] {
    return this.#calls.toSorted((a, b) => a.index - b.index)
  }
}

/** Vendors that give every call index 0, or none, tell calls apart by their ids, or only by a new name. */
function begins(
  { index, id, name }: { readonly index: number | undefined } & Pick<Call, 'id' | 'name'>,
  open: Call,
): boolean {
  if (id !== '') return open.id !== '' && open.id !== id
  return index === undefined && name !== '' && open.name !== ''
}

/** Some vendors give calls no ids, and want results that name one. */
export function madeUpId(at: number): string {
  return `call_${at}`
}

interface Call {
  /** Its place in the message. */
  readonly index: number
  /** Whatever else the vendor says of it, such as a signature that it wants back. */
  readonly fields: JsonObject
  id: string
  name: string
  input: string
  readonly injected: boolean
  /** Its index among the client's own. */
  readonly shown: number
}

function wholeCall({ fields, id, name, input }: Call): JsonObject {
  if (fields.custom !== undefined) return fields
  return { ...fields, id, type: 'function', function: { name, arguments: input } }
}
