import type { ToolResult } from '../../events.ts'
import type { RequestSummary } from '../../format.ts'
import { arrayOf, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { laxBoolean } from '../lax-boolean.ts'
import { readTurn } from '../purpose.ts'
import { toolResult } from '../tool-result.ts'

/** Reads a request of the Chat Completions API. */
export function readRequest(body: unknown): RequestSummary {
  const request = objectOf(body)
  const messages = arrayOf(request.messages).map(objectOf)
  const end = messages.findLastIndex((message) => !isSystem(message)) + 1
  const turn = runUpTo(messages, end, ({ role }) => role === 'user')
  const results = runUpTo(messages, end, ({ role }) => role === 'tool' || role === 'function')
  const last = turn.at(-1)
  return {
    model: stringOf(request.model) ?? '',
    streaming: laxBoolean(request.stream),
    background: false,
    ...readTurn({
      texts: last ? textsOf(last) : [],
      take: 'last',
      before: turn.slice(0, -1).flatMap(textsOf),
      system: messages.filter(isSystem).flatMap(textsOf)[0],
      hasTools: arrayOf(request.tools).length > 0,
      maxTokens: request.max_completion_tokens ?? request.max_tokens,
    }),
    toolResults: Object.freeze(results.map(resultOf)),
    correlatingToolCallId: stringOf(results.at(-1)?.tool_call_id) || null,
    hasStreamOptions: Object.hasOwn(request, 'stream_options'),
  }
}

function isSystem({ role }: JsonObject): boolean {
  return role === 'system' || role === 'developer'
}

/** The messages right before `end` that all pass. */
function runUpTo(
  messages: readonly JsonObject[],
  end: number,
  test: (message: JsonObject) => boolean,
): JsonObject[] {
  return messages.slice(
    messages.findLastIndex((message, at) => at < end && !test(message)) + 1,
    end,
  )
}

/** An empty string is no text here. */
function textsOf({ content }: JsonObject): string[] {
  if (typeof content === 'string') return content === '' ? [] : [content]
  return arrayOf(content)
    .map(objectOf)
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .filter((text) => typeof text === 'string')
}

function resultOf(message: JsonObject): ToolResult {
  return toolResult(
    stringOf(message.tool_call_id) ?? '',
    message.content,
    message.is_error === true,
  )
}
