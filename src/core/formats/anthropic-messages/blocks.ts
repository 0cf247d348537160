import { type JsonObject, objectOf, parseJson, stringOf } from '../../json.ts'
import { jsonText } from '../json-text.ts'

/** The content blocks of one message, put together from their deltas as a request repeats them. */
export class Blocks {
  readonly #blocks = new Map<number, { block: Record<string, unknown>; json: string }>()

  open(index: number, block: JsonObject): void {
    this.#blocks.set(index, { block: { ...block }, json: '' })
  }

  append(index: number, delta: JsonObject): void {
    const open = this.#blocks.get(index)
    if (!open) return
    const { block } = open
    const more = (name: string) => `${stringOf(block[name]) ?? ''}${stringOf(delta[name]) ?? ''}`
    if (delta.type === 'text_delta') block.text = more('text')
    else if (delta.type === 'thinking_delta') block.thinking = more('thinking')
    else if (delta.type === 'signature_delta') block.signature = more('signature')
    else if (delta.type === 'input_json_delta') open.json += stringOf(delta.partial_json) ?? ''
    else if (delta.type === 'compaction_delta') {
      const { type: _, ...whole } = delta
      Object.assign(block, whole)
    } else if (delta.type === 'citations_delta') {
      const known = Array.isArray(block.citations) ? block.citations : []
      block.citations = [...known, delta.citation]
    }
  }

  /** No more of it comes. */
  close(index: number): JsonObject {
    const closed = this.#blocks.get(index)
    if (!closed) return {}
    const { block, json } = closed
    if (json !== '') block.input = objectOf(parseJson(json))
    return block
  }

  /** A call's arguments as the model wrote them. */
  inputOf(index: number): string {
    const { block = {}, json = '' } = this.#blocks.get(index) ?? {}
    return json !== ''
      ? json
      : typeof block.input === 'string'
        ? block.input
        : jsonText(block.input ?? {})
  }

  /** In their order, less empty texts: those are refused in requests. */
  all(): JsonObject[] {
    return [...this.#blocks]
      .sort(([a], [b]) => a - b)
      .map(([, { block }]) => block)
      .filter(({ type, text }) => type !== 'text' || text !== '')
  }
}
