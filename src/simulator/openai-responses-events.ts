import { arrayOf, type JsonObject, objectOf } from '../core/json.ts'
import { type Answer, inputPieces, type ServerSentEvent, textPieces, wordsOf } from './answer.ts'

/** The events that build up a response, from its first state over its items to its last state. */
export function* responseEvents(
  first: JsonObject,
  items: readonly JsonObject[],
  last: JsonObject,
  answer: Answer,
): Iterable<ServerSentEvent> {
  let sequence = 0
  const event = (type: string, members: JsonObject) => numbered({ type, ...members }, sequence++)
  yield event('response.created', { response: first })
  yield event('response.in_progress', { response: first })
  for (const [output_index, item] of items.entries()) {
    yield event('response.output_item.added', { item: begun(item), output_index })
    for (const [type, members] of itemEvents(item, answer)) {
      yield event(type, { item_id: item.id, output_index, ...members })
    }
    yield event('response.output_item.done', { item, output_index })
  }
  yield event(`response.${last.status}`, { response: last })
}

export function numbered(members: JsonObject, sequence_number: number): ServerSentEvent {
  return { event: String(members.type), data: JSON.stringify({ ...members, sequence_number }) }
}

/** An item as it is announced, before anything of it has come. */
function begun(item: JsonObject): JsonObject {
  if (item.type === 'reasoning') return { ...item, summary: [] }
  const content = item.type === 'message' ? { content: [] } : undefined
  const member = item.type === 'function_call' ? { arguments: '' } : { input: '' }
  return { ...item, status: 'in_progress', ...(content ?? member) }
}

function itemEvents(item: JsonObject, answer: Answer): Iterable<[string, JsonObject]> {
  if (item.type === 'reasoning') return reasoningEvents(item)
  return item.type === 'message' ? messageEvents(item, answer) : callEvents(item)
}

function* reasoningEvents(item: JsonObject): Iterable<[string, JsonObject]> {
  for (const [summary_index, part] of arrayOf(item.summary).map(objectOf).entries()) {
    const { text } = part
    yield ['response.reasoning_summary_part.added', { part: { ...part, text: '' }, summary_index }]
    for (const delta of wordsOf(String(text))) {
      yield ['response.reasoning_summary_text.delta', { summary_index, delta }]
    }
    yield ['response.reasoning_summary_text.done', { summary_index, text }]
    yield ['response.reasoning_summary_part.done', { part, summary_index }]
  }
}

function* messageEvents(item: JsonObject, answer: Answer): Iterable<[string, JsonObject]> {
  const part = objectOf(arrayOf(item.content)[0])
  const at = { content_index: 0 }
  yield ['response.content_part.added', { ...at, part: { ...part, text: '' } }]
  for (const delta of textPieces(answer)) {
    yield ['response.output_text.delta', { ...at, delta, logprobs: [] }]
  }
  yield ['response.output_text.done', { ...at, text: part.text, logprobs: [] }]
  yield ['response.content_part.done', { ...at, part }]
}

function* callEvents(item: JsonObject): Iterable<[string, JsonObject]> {
  const free = item.type === 'custom_tool_call'
  const kind = free ? 'custom_tool_call_input' : 'function_call_arguments'
  const member = free ? 'input' : 'arguments'
  for (const delta of inputPieces({ name: '', input: item[member] })) {
    yield [`response.${kind}.delta`, { delta }]
  }
  yield [`response.${kind}.done`, { [member]: item[member], ...(!free && { name: item.name }) }]
}
