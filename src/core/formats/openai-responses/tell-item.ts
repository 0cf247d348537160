import { arrayOf, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { textOrJson } from '../json-text.ts'
import type { ReplyEvents } from '../reply-events.ts'

/** Tells what a whole output item means, less the content parts that were told while they came. */
export function tellItem(
  events: ReplyEvents,
  item: JsonObject,
  told: ReadonlySet<number> = nothingTold,
): void {
  if (item.type === 'reasoning') tellReasoning(events, item)
  else if (item.type === 'message') tellMessage(events, item, told)
  else if (typeof item.type === 'string' && item.type.endsWith('_call')) {
    tellCall(events, item.type, item)
  }
}

const nothingTold: ReadonlySet<number> = new Set()

function tellReasoning(events: ReplyEvents, { summary, content }: JsonObject): void {
  for (const part of arrayOf(summary)) {
    events.reasoning('reasoning_summary', stringOf(objectOf(part).text) ?? '')
  }
  for (const part of arrayOf(content)) {
    events.reasoning('reasoning_text', stringOf(objectOf(part).text) ?? '')
  }
}

/** Commentary is the model thinking aloud between its tool calls. */
function tellMessage(events: ReplyEvents, item: JsonObject, told: ReadonlySet<number>): void {
  for (const [at, value] of arrayOf(item.content).entries()) {
    const part = objectOf(value)
    const text = stringOf(part.text) ?? stringOf(part.refusal) ?? ''
    if (item.phase === 'commentary') events.reasoning('commentary', text)
    else if (!told.has(at)) events.text(text)
  }
}

/** Of the client's tools the name is told, of hosted ones the item's type without `_call`. */
function tellCall(events: ReplyEvents, type: string, item: JsonObject): void {
  const named = type === 'function_call' || type === 'custom_tool_call' || type === 'mcp_call'
  events.toolCall({
    toolCallId: stringOf(item.call_id) ?? '',
    itemId: stringOf(item.id) ?? null,
    tool: (named ? stringOf(item.name) : undefined) ?? type.replace(/_call$/, ''),
    input: inputOf(item),
    serverUrl: type === 'mcp_call' ? (stringOf(item.server_label) ?? null) : null,
    invocationError: type === 'mcp_call' ? textOrJson(item.error) || null : null,
    metadata: metadataOf(type, item),
  })
}

/** What a call was made with; what came of it (`result`, `results`, `outputs`) is left out. */
function inputOf(item: JsonObject): string {
  for (const name of inputNames) {
    const value = item[name]
    if (value !== undefined && value !== null) return textOrJson(value)
  }
  return ''
}

const inputNames: readonly string[] = [
  'arguments',
  'input',
  'code',
  'action',
  'actions',
  'queries',
  'operation',
  'revised_prompt',
]

function metadataOf(type: string, { status, namespace }: JsonObject): Record<string, unknown> {
  const metadata: Record<string, unknown> = type === 'function_call' ? {} : { type }
  // Codex groups tools in namespaces.
  if (typeof namespace === 'string') metadata.namespace = namespace
  if (type !== 'function_call' && type !== 'custom_tool_call' && typeof status === 'string') {
    metadata.status = status
  }
  return metadata
}
