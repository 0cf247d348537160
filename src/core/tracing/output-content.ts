import type { InterceptionEvent } from '../events.ts'
import { parseJson } from '../json.ts'
import { boundedJson, maxContentBytes } from './message-content.ts'

/** What a reply says, up to a bound. */
export class OutputContent {
  readonly #parts: Record<string, unknown>[] = []
  #texts = new Map<number, { type: 'text'; content: string }>()
  #bytes = 0

  observe(event: InterceptionEvent): void {
    if (this.#bytes > maxContentBytes) return
    if (event.type === 'text') {
      this.#bytes += event.text.length
      const text = this.#texts.get(event.choice)
      if (text) text.content += event.text
      else this.#addText(event.choice, event.text)
    } else if (event.type === 'reasoning') {
      this.#bytes += event.text.length
      this.#parts.push({ type: 'reasoning', content: event.text })
    } else if (event.type === 'tool_call') {
      this.#bytes += event.input.length
      const { toolCallId: id, tool: name, input } = event
      this.#parts.push({ type: 'tool_call', id, name, arguments: parseJson(input) ?? input })
    }
  }

  attributes(finish: string | undefined): Record<string, string> {
    if (this.#parts.length === 0) return {}
    const message = {
      role: 'assistant',
      parts: this.#parts,
      ...(finish !== undefined && { finish_reason: finish }),
    }
    const messages = boundedJson([message], (each) => each)
    return messages === undefined ? {} : { 'gen_ai.output.messages': messages }
  }

  #addText(choice: number, content: string): void {
    const part = { type: 'text' as const, content }
    this.#texts.set(choice, part)
    this.#parts.push(part)
  }
}
