import type { ToolResult } from '../../events.ts'
import type { RequestSummary } from '../../format.ts'
import { arrayOf, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { laxBoolean } from '../lax-boolean.ts'
import { readTurn } from '../purpose.ts'
import { toolResult } from '../tool-result.ts'

/** Reads a request of the Responses API. */
export function readRequest(body: unknown): RequestSummary {
  const request = objectOf(body)
  const items = itemsOf(request.input)
  const end = items.findLastIndex((item) => !isSystem(item)) + 1
  const turn = runUpTo(items, end, isUserMessage)
  const results = runUpTo(items, end, isToolOutput)
  const last = turn.at(-1)
  return {
    model: typeof request.model === 'number' ? `${request.model}` : (stringOf(request.model) ?? ''),
    streaming: laxBoolean(request.stream),
    background: laxBoolean(request.background),
    ...readTurn({
      texts: last ? textsOf(last) : [],
      take: 'all',
      before: turn.slice(0, -1).flatMap(textsOf),
      system: stringOf(request.instructions) ?? items.filter(isSystem).flatMap(textsOf)[0],
      hasTools: arrayOf(request.tools).length > 0,
      maxTokens: request.max_output_tokens,
    }),
    ...ownPurpose(request, items[end - 1]),
    toolResults: Object.freeze(results.map(resultOf)),
    correlatingToolCallId: results.map(callIdOf).findLast((id) => id !== '') ?? null,
    hasStreamOptions: false,
  }
}

function itemsOf(input: unknown): JsonObject[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  return arrayOf(input).map(objectOf)
}

function isSystem({ role }: JsonObject): boolean {
  return role === 'system' || role === 'developer'
}

function isUserMessage({ role, type }: JsonObject): boolean {
  return role === 'user' && (type === undefined || type === 'message')
}

/** `function_call_output`, `custom_tool_call_output`, those of shells, computers, patches, … */
function isToolOutput({ type }: JsonObject): boolean {
  return typeof type === 'string' && type.endsWith('_output')
}

/** The items right before `end` that all pass. */
function runUpTo(
  items: readonly JsonObject[],
  end: number,
  test: (item: JsonObject) => boolean,
): JsonObject[] {
  return items.slice(items.findLastIndex((item, at) => at < end && !test(item)) + 1, end)
}

function textsOf({ content }: JsonObject): string[] {
  if (typeof content === 'string') return [content]
  return arrayOf(content)
    .map(objectOf)
    .filter(({ type }) => type === 'input_text' || type === 'text')
    .map(({ text }) => text)
    .filter((text) => typeof text === 'string')
}

/** What the request itself says it is for: Codex warms up without wanting an answer. */
function ownPurpose(
  request: JsonObject,
  last: JsonObject | undefined,
): Pick<RequestSummary, 'prompt' | 'purpose'> | undefined {
  if (request.generate === false) return { prompt: null, purpose: 'warmup' }
  if (last?.type === 'compaction_trigger') return { prompt: null, purpose: 'compaction' }
  return undefined
}

function resultOf(item: JsonObject): ToolResult {
  const failed = item.status === 'failed' || item.is_error === true
  return toolResult(callIdOf(item), item.output, failed)
}

/** The output of `local_shell_call` names its call as `id`. */
function callIdOf(item: JsonObject): string {
  const { call_id, id, type } = item
  return stringOf(call_id) ?? (type === 'local_shell_call_output' ? (stringOf(id) ?? '') : '')
}
