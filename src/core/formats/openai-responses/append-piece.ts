import { countOf, type JsonObject, stringOf } from '../../json.ts'
import type { ReplyEvents } from '../reply-events.ts'
import type { OutputItems } from './output-items.ts'

/** Adds what an event brings of an unfinished item; of text the piece is told at once. */
export function appendPiece(
  events: ReplyEvents,
  items: OutputItems,
  type: string,
  event: JsonObject,
): void {
  const piece = pieces[type]
  if (!piece) return
  const { kind, member, whole } = piece
  const text = stringOf(event[member])
  if (text === undefined || text === '') return
  const item = items.at(
    event,
    kind === 'summary' || kind === 'reasoning' ? reasoningItem : undefined,
  )
  if (item.gone) return
  const part = countOf(event.content_index) ?? 0
  if (kind === 'text' && item.json.phase !== 'commentary') {
    if (whole && item.told.has(part)) return
    item.told.add(part)
    events.text(text)
    return
  }
  events.generating = true
  if (kind === 'input') item.input = whole ? text : item.input + text
  else if (kind === 'summary') put(item.summary, countOf(event.summary_index) ?? 0, text, whole)
  else put(item.content, part, text, whole)
}

interface Piece {
  readonly kind: 'text' | 'summary' | 'reasoning' | 'input'
  /** The event's member that holds the text. */
  readonly member: string
  /** True where it is all of it and not one more piece. */
  readonly whole: boolean
}

const pieces: Readonly<Record<string, Piece>> = {
  ...both('response.output_text', 'text', 'text'),
  ...both('response.refusal', 'text', 'refusal'),
  ...both('response.reasoning_summary_text', 'summary', 'text'),
  ...both('response.reasoning_text', 'reasoning', 'text'),
  ...both('response.function_call_arguments', 'input', 'arguments'),
  ...both('response.mcp_call_arguments', 'input', 'arguments'),
  ...both('response.custom_tool_call_input', 'input', 'input'),
  ...both('response.code_interpreter_call_code', 'input', 'code'),
}

const reasoningItem: JsonObject = Object.freeze({ type: 'reasoning' })

function both(name: string, kind: Piece['kind'], member: string): Record<string, Piece> {
  return {
    [`${name}.delta`]: { kind, member: 'delta', whole: false },
    [`${name}.done`]: { kind, member, whole: true },
  }
}

/** Gaps are filled: an index is the upstream's word, so one far off counts as the next. */
function put(parts: string[], index: number, text: string, whole: boolean): void {
  const at = Math.min(index, parts.length)
  parts[at] = whole ? text : (parts[at] ?? '') + text
}
