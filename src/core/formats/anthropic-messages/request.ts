import type { ToolResult } from '../../events.ts'
import type { RequestSummary } from '../../format.ts'
import { arrayOf, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { readTurn } from '../purpose.ts'
import { toolResult } from '../tool-result.ts'

/** Reads a request of the Messages API; trailing messages of role `system` are the client's own. */
export function readRequest(body: unknown): RequestSummary {
  const request = objectOf(body)
  const messages = arrayOf(request.messages).map(objectOf)
  const end = messages.findLastIndex((message) => message.role !== 'system') + 1
  const start = messages.findLastIndex(({ role }, at) => at < end && role !== 'user') + 1
  const turn = messages.slice(start, end)
  const last = turn.at(-1)
  return {
    model: stringOf(request.model) ?? '',
    streaming: request.stream === true,
    background: false,
    ...readTurn({
      texts: last ? textsOf(last.content) : [],
      take: 'last',
      before: turn.slice(0, -1).flatMap(({ content }) => textsOf(content)),
      system: textsOf(request.system)[0],
      hasTools: arrayOf(request.tools).length > 0,
      maxTokens: request.max_tokens,
    }),
    toolResults: Object.freeze(turn.flatMap(({ content }) => resultsOf(content))),
    correlatingToolCallId: last ? lastAnswered(last) : null,
    hasStreamOptions: false,
  }
}

function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  return arrayOf(content)
    .map(objectOf)
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .filter((text) => typeof text === 'string')
}

function resultsOf(content: unknown): ToolResult[] {
  return blocksOfResults(content).map((block) =>
    toolResult(stringOf(block.tool_use_id) ?? '', block.content, block.is_error === true),
  )
}

function lastAnswered({ content }: JsonObject): string | null {
  const ids = blocksOfResults(content).map((block) => block.tool_use_id)
  return (ids.filter((id) => typeof id === 'string' && id !== '').at(-1) as string | null) ?? null
}

function blocksOfResults(content: unknown): JsonObject[] {
  return arrayOf(content)
    .map(objectOf)
    .filter(({ type }) => type === 'tool_result')
}
