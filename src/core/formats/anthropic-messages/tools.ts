import { arrayOf, isObject, type JsonObject, objectOf, parseJson, stringOf } from '../../json.ts'
import type { JsonEdit } from '../../json-edit.ts'
import { unknownArgument } from '../../mcp/tool-schema.ts'
import type { AnsweredCall, ToolDialect } from '../../tool-rounds/dialect.ts'
import { frameText } from '../../tool-rounds/dialect.ts'
import { toolJson } from '../../tool-rounds/tool-json.ts'
import { notShown, type ResultPart } from '../../tool-rounds/tool-result.ts'
import { MessageMerger } from './merge.ts'

/** Tools of the gateway's in the Messages API. */
export const messageTools: ToolDialect = {
  ownTools(request) {
    const tools = request.value('tools') ?? []
    return Array.isArray(tools) ? tools.map((tool) => stringOf(objectOf(tool).name) ?? '') : null
  },
  inject(request, tools, parallel) {
    // Before the client's own, whose last one may carry the mark up to which a prompt is cached.
    request.insert('tools', described(tools), 'first')
    if (!parallel) forbidParallel(request)
  },
  followUp(request, answer, results) {
    const asked = { role: 'assistant', content: answer }
    const answered = { role: 'user', content: results.map(resultBlock) }
    request.insert('messages', [asked, answered], 'last')
  },
  history: 'messages',
  restored(messages, hidden) {
    const changed = new Map<number, JsonObject[]>()
    for (const [at, asked] of messages.entries()) {
      const answered = messages[at + 1]
      if (asked.role !== 'assistant' || answered?.role !== 'user') continue
      // Both or neither: a call without its result is refused.
      const calls = withHidden(asked, ({ type, id }) =>
        type === 'tool_use' ? hidden(String(id)).map(callBlock) : [],
      )
      const results = withHidden(answered, ({ type, tool_use_id }) =>
        type === 'tool_result' ? hidden(String(tool_use_id)).map(resultBlock) : [],
      )
      if (!calls || !results) continue
      changed.set(at, [calls]).set(at + 1, [results])
    }
    return changed
  },
  takes: ({ inputSchema }) => unknownArgument(inputSchema) === undefined,
  createMerger: (isInjected) => new MessageMerger(isInjected),
  ping: 'event: ping\ndata: {"type": "ping"}\n\n',
  errorFrame: (body) => frameText('error', body),
}

const described = toolJson(({ id, description, inputSchema }) => ({
  name: id,
  description,
  type: 'custom',
  input_schema: inputSchema,
}))

/** Says so in `tool_choice` where it lets the model choose; one that nobody understands is left alone. */
function forbidParallel(request: JsonEdit): void {
  const choice = request.value('tool_choice') ?? {}
  if (!isObject(choice)) return
  const { type = 'auto' } = choice
  if (type !== 'auto' && type !== 'any' && type !== 'tool') return
  request.set('tool_choice', { ...choice, type, disable_parallel_tool_use: true })
}

/** The message with blocks behind those that have some hidden; null where none has. */
function withHidden(
  message: JsonObject,
  hidden: (block: JsonObject) => readonly JsonObject[],
): JsonObject | null {
  const content = arrayOf(message.content).map(objectOf)
  const whole = content.flatMap((block) => [block, ...hidden(block)])
  return whole.length > content.length ? { ...message, content: whole } : null
}

function callBlock({ id, tool, input }: AnsweredCall): JsonObject {
  return { type: 'tool_use', id, name: tool, input: objectOf(parseJson(input)) }
}

function resultBlock({ id, result }: AnsweredCall): JsonObject {
  return {
    type: 'tool_result',
    tool_use_id: id,
    is_error: result.isError,
    // An error may have texts only.
    content: result.parts.map((part) => resultContent(part, !result.isError)),
  }
}

function resultContent(part: ResultPart, images: boolean): JsonObject {
  // An empty text is refused.
  if (part.type === 'text') return { type: 'text', text: part.text || '(empty)' }
  const { mimeType: media_type, data } = part
  if (images && part.type === 'image' && imageTypes.includes(media_type)) {
    return { type: 'image', source: { type: 'base64', media_type, data } }
  }
  return { type: 'text', text: notShown(part) }
}

const imageTypes: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
