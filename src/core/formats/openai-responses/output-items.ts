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
  #next = 0

  /** The item that an event is about; begun where nothing was heard of it before. */
  at(event: JsonObject, json: JsonObject = nothing): OutputItem {
    const index = countOf(event.output_index)
    const id = stringOf(event.item_id) ?? stringOf(json.id)
    const known = index === undefined ? this.#byId(id) : this.#items.get(index)
    return known ?? this.#open(index ?? this.#free(), json)
  }

  /** An item is whole: gives those that can be told now. */
  close(event: JsonObject, json: JsonObject): OutputItem[] {
    complete(this.at(event, json), json)
    return this.#ready()
  }

  /** The final response repeats all items: gives those that no event of their own had told. */
  closeAll(output: unknown): OutputItem[] {
    for (const [at, value] of arrayOf(output).entries()) {
      const json = objectOf(value)
      complete(this.#same(at, json) ?? this.#open(this.#free(at), json), json)
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
    return item
  }

  /** The wished index, or the next one that no item has. */
  #free(wished = 0): number {
    return this.#items.has(wished) ? Math.max(...this.#items.keys()) + 1 : wished
  }

  #byId(id: string | undefined): OutputItem | undefined {
    const items = [...this.#items.values()]
    return id === undefined ? items.at(-1) : items.find(({ json }) => json.id === id)
  }

  /** Some gateways give an item another id in each event: then place and type tell. */
  #same(at: number, { id, call_id, type }: JsonObject): OutputItem | undefined {
    for (const item of this.#items.values()) {
      if (typeof id === 'string' && item.json.id === id) return item
      if (typeof call_id === 'string' && item.json.call_id === call_id) return item
    }
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

function complete(item: OutputItem, json: JsonObject): void {
  if (item.gone) return
  item.json = json
  item.whole = true
}

function leave(item: OutputItem): OutputItem {
  item.gone = true
  return item
}
