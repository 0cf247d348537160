import { arrayOf, isObject, type JsonObject, objectOf, parseJson, stringOf } from '../json.ts'
import type { FormatName } from '../records.ts'

/** What one attribute with content may have, in bytes: spans wait in memory until they are exported. */
export const maxContentBytes: number = 16 * 1024

type Part = { readonly type: string } & Readonly<Record<string, unknown>>

export interface Message {
  readonly role: string
  readonly parts: readonly Part[]
  readonly finish_reason?: string
}

/** The newest messages that fit, as JSON; undefined where there are none. */
export function inputMessages(format: FormatName, body: JsonObject): string | undefined {
  const given = format === 'openai_responses' ? body.input : body.messages
  const list = typeof given === 'string' ? [{ role: 'user', content: given }] : arrayOf(given)
  return boundedJson(list, messageOf)
}

/** What a request says apart from its messages: `system`, `instructions`. */
export function systemInstructions({ system, instructions }: JsonObject): string | undefined {
  return boundedJson(blocksOf(system ?? instructions), partOf)
}

export function toolDefinitions({ tools }: JsonObject): string | undefined {
  return boundedJson(arrayOf(tools), (tool) => {
    const { name, description, parameters, input_schema: schema, type } = described(tool)
    return { type: type ?? 'function', name, description, parameters: parameters ?? schema }
  })
}

/** JSON of the list's last members that fit; a single one that does not is cut as text. */
export function boundedJson<T>(
  list: readonly T[],
  read: (each: unknown) => unknown,
): string | undefined {
  const kept: string[] = []
  let bytes = 2
  for (const each of list.toReversed()) {
    const json = JSON.stringify(read(each))
    const size = Buffer.byteLength(json) + 1
    if (bytes + size > maxContentBytes) {
      if (kept.length === 0) kept.push(JSON.stringify(cut(json)))
      break
    }
    kept.push(json)
    bytes += size
  }
  return kept.length === 0 ? undefined : `[${kept.reverse().join(',')}]`
}

/** As JSON in JSON, of which half may be escapes. */
function cut(json: string): string {
  let text = Buffer.from(json).subarray(0, maxContentBytes).toString().toWellFormed()
  while (Buffer.byteLength(JSON.stringify(text)) + 2 > maxContentBytes) {
    text = text.slice(0, Math.trunc(text.length * 0.8)).toWellFormed()
  }
  return text
}

function described(tool: unknown): JsonObject {
  const { function: inner } = objectOf(tool)
  return isObject(inner) ? inner : objectOf(tool)
}

function messageOf(item: unknown): Message {
  const message = objectOf(item)
  const role = stringOf(message.role)
  if (role === undefined) return { role: roleOf(message), parts: [partOf(message)] }
  if (role === 'tool') {
    const { tool_call_id: id, content } = message
    return { role, parts: [{ type: 'tool_call_response', id, response: content }] }
  }
  const calls = arrayOf(message.tool_calls).map((call) => {
    const { id, function: called } = objectOf(call)
    const { name, arguments: args } = objectOf(called)
    return { type: 'tool_call', id, name, arguments: parsed(args) }
  })
  return { role, parts: [...blocksOf(message.content).map(partOf), ...calls] }
}

/** Of items of Responses that are no messages. */
function roleOf({ type }: JsonObject): string {
  return stringOf(type)?.endsWith('_output') ? 'tool' : 'assistant'
}

function blocksOf(content: unknown): readonly unknown[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : arrayOf(content)
}

function partOf(block: unknown): Part {
  const part = objectOf(block)
  const type = stringOf(part.type) ?? 'text'
  const text = stringOf(part.text)
  if (/^(text|input_text|output_text)$/.test(type)) return { type: 'text', content: text ?? '' }
  if (type === 'thinking') return { type: 'reasoning', content: stringOf(part.thinking) ?? '' }
  if (type === 'tool_use')
    return { type: 'tool_call', id: part.id, name: part.name, arguments: part.input }
  if (type === 'tool_result')
    return { type: 'tool_call_response', id: part.tool_use_id, response: part.content }
  if (type === 'function_call')
    return {
      type: 'tool_call',
      id: part.call_id,
      name: part.name,
      arguments: parsed(part.arguments),
    }
  if (type === 'function_call_output')
    return { type: 'tool_call_response', id: part.call_id, response: part.output }
  // Pictures, documents, signatures: only that they are there.
  return { type }
}

function parsed(args: unknown): unknown {
  return typeof args === 'string' ? (parseJson(args) ?? args) : args
}
