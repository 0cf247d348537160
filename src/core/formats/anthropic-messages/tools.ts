import { arrayOf, isObject, type JsonObject, objectOf, stringOf } from '../../json.ts'
import type { JsonEdit } from '../../json-edit.ts'
import type { AnsweredCall, ToolDialect } from '../../tool-rounds/dialect.ts'
import { frameText } from '../../tool-rounds/dialect.ts'
import { notShown, type ResultPart } from '../../tool-rounds/tool-result.ts'
import { MessageMerger } from './merge.ts'

/** Tools of the gateway's in the Messages API. */
export const messageTools: ToolDialect = {
  ownTools(request) {
    const tools = request.value('tools') ?? []
    return Array.isArray(tools) ? tools.map((tool) => stringOf(objectOf(tool).name) ?? '') : null
  },
  inject(request, tools, parallel) {
    const described = tools.map(({ id, description, inputSchema }) => ({
      name: id,
      description,
      type: 'custom',
      input_schema: inputSchema,
    }))
    // Before the client's own, whose last one may carry the mark up to which a prompt is cached.
    request.insert('tools', described, 'first')
    if (!parallel) forbidParallel(request)
  },
  followUp(request, answer, results) {
    const asked = { role: 'assistant', content: answer }
    const answered = { role: 'user', content: results.map(resultBlock) }
    request.insert('messages', [asked, answered], 'last')
  },
  createMerger: (isInjected) => new MessageMerger(isInjected),
  ping: 'event: ping\ndata: {"type": "ping"}\n\n',
  errorFrame: (body) => frameText('error', body),
}

/** Says so in `tool_choice` where it lets the model choose; one that nobody understands is left alone. */
function forbidParallel(request: JsonEdit): void {
  const choice = request.value('tool_choice') ?? {}
  if (!isObject(choice)) return
  const { type = 'auto' } = choice
  if (type !== 'auto' && type !== 'any' && type !== 'tool') return
  request.set('tool_choice', { ...choice, type, disable_parallel_tool_use: true })
}

function resultBlock({ id, result }: AnsweredCall): JsonObject {
  return {
    type: 'tool_result',
    tool_use_id: id,
    is_error: result.isError,
    content: result.parts.map(resultContent),
  }
}

function resultContent(part: ResultPart): JsonObject {
  // An empty text is refused.
  if (part.type === 'text') return { type: 'text', text: part.text || '(empty)' }
  const { mimeType: media_type, data } = part
  if (part.type === 'image' && arrayOf(imageTypes).includes(media_type)) {
    return { type: 'image', source: { type: 'base64', media_type, data } }
  }
  return { type: 'text', text: notShown(part) }
}

const imageTypes: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
