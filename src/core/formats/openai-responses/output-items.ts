import { arrayOf, countOf, type JsonObject, objectOf, stringOf } from '../../json.ts'

/** An output item of a stream, as far as it came. */
export interface OutputItem {
  json: JsonObject
  whole: boolean
  gone: boolean
  /** Pieces of a call's arguments, input or code. */
  input: string
  readonly summary: string[]
  readonly content: string[]
  /** Content parts whose text was told while it came. */
  readonly told: Set<number>
}

/** The output items of one stream. They leave in the order of their index, once they are whole. */
export class OutputItems {
  readonly #items = new Map<number, OutputItem>()
  /** By `id` and `call_id`, which never look alike. */
  readonly #byId = new Map<unknown, OutputItem>()
  #last: OutputItem | undefined
  #end = 0
  #next = 0

  /** The item that an event is about; begun where nothing was heard of it before. */
  at(event: JsonObject, json: JsonObject = nothing): OutputItem {
    const index = countOf(event.output_index)
    const id = stringOf(event.item_id) ?? stringOf(json.id)
    const open = this.#last?.whole ? undefined : this.#last
    const named = id === undefined ? open : this.#byId.get(id)
    const known = index === undefined ? named : this.#items.get(index)
    if (!known) return this.#open(index ?? this.#end, json)
    // A gateway that strings replies together begins its indexes again.
    const other = known.gone && typeof json.id === 'string' && json.id !== known.json.id
    return other ? this.#open(this.#end, json) : known
  }

  /** An item is whole: gives those that can be told now. */
  close(event: JsonObject, json: JsonObject): OutputItem[] {
    this.#complete(this.at(event, json), json)
    return this.#ready()
  }

  /** The final response repeats all items: gives those that no event of their own had told. */
  closeAll(output: unknown): OutputItem[] {
    for (const [at, value] of arrayOf(output).entries()) {
      const json = objectOf(value)
      const free = this.#items.has(at) ? this.#end : at
      this.#complete(this.#same(at, json) ?? this.#open(free, json), json)
    }
    return this.#ready()
  }

  /** What has not gone, whole or not. */
  rest(): OutputItem[] {
    const inOrder = [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item)
    return inOrder.filter((item) => !item.gone).map(leave)
  }

  #open(index: number, json: JsonObject): OutputItem {
    const item = {
      json,
      whole: false,
      gone: false,
      input: '',
      summary: [],
      content: [],
      told: new Set<number>(),
    }
    this.#items.set(index, item)
    this.#name(item)
    this.#last = item
    this.#end = Math.max(this.#end, index + 1)
    return item
  }

  #complete(item: OutputItem, json: JsonObject): void {
    if (item.gone) return
    item.json = json
    item.whole = true
    this.#name(item)
  }

  #name(item: OutputItem): void {
    for (const id of [item.json.id, item.json.call_id]) {
      if (typeof id === 'string') this.#byId.set(id, item)
    }
  }

  /** Some gateways give an item another id in each event: then place and type tell. */
  #same(at: number, { id, call_id, type }: JsonObject): OutputItem | undefined {
    const named = this.#byId.get(id) ?? this.#byId.get(call_id)
    if (named) return named
    const there = this.#items.get(at)
    return there && (there.json.type === type || there.json.type === undefined) ? there : undefined
  }

  #ready(): OutputItem[] {
    const ready: OutputItem[] = []
    for (;;) {
      const item = this.#items.get(this.#next)
      if (!item?.whole) return ready
      this.#next++
      if (!item.gone) ready.push(leave(item))
    }
  }
}

const nothing: JsonObject = Object.freeze({})

function leave(item: OutputItem): OutputItem {
  item.gone = true
  return item
}
