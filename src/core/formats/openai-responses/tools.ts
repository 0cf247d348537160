import { type JsonObject, objectOf, stringOf } from '../../json.ts'
import { type AnsweredCall, frameText, type ToolDialect } from '../../tool-rounds/dialect.ts'
import { toolJson } from '../../tool-rounds/tool-json.ts'
import { notShown, type ResultPart, textOfResult } from '../../tool-rounds/tool-result.ts'
import { anchorName, ResponseMerger } from './merge.ts'

/** Tools of the gateway's in the Responses API. */
export const responseTools: ToolDialect = {
  ownTools(request) {
    const tools = request.value('tools') ?? []
    const input = request.value('input') ?? []
    if (!Array.isArray(tools) || !(typeof input === 'string' || Array.isArray(input))) return null
    return tools.map((tool) => stringOf(objectOf(tool).name) ?? '')
  },
  inject(request, tools, parallel) {
    request.insert('tools', described(tools), 'last')
    if (!parallel) request.set('parallel_tool_calls', false)
  },
  followUp(request, answer, results) {
    const stored = request.value('store') !== false
    const items = [
      ...answer.filter((item) => stored || standsAlone(item)),
      ...results.map(outputItem),
    ]
    const input = request.value('input')
    // A conversation holds all that was said; only what is new goes to it.
    if ((request.value('conversation') ?? null) !== null) {
      request.set('input', results.map(outputItem))
    } else if (typeof input === 'string') {
      request.set('input', [{ role: 'user', content: input }, ...items])
    } else request.insert('input', items, 'last')
  },
  history: 'input',
  restored(items, hidden) {
    const changed = new Map<number, JsonObject[]>()
    const anchored = items.map((item) => hidden(anchorName(item) ?? ''))
    const placed = new Set(anchored.flat().map(({ id }) => id))
    for (const [at, item] of items.entries()) {
      const behind = anchored[at] ?? []
      if (behind.length > 0) {
        changed.set(at, [item, ...behind.map(callItem), ...behind.map(outputItem)])
        continue
      }
      const isRequest = item.type === 'mcp_approval_request'
      const name = String(isRequest ? item.id : (item.call_id ?? item.approval_request_id))
      const more = hidden(name).filter(({ id }) => !placed.has(id))
      if (more.length === 0) continue
      // Where the upstream knows what was said before, the calls themselves are not in the request.
      const isResult = /_(output|response)$/.test(String(item.type))
      changed.set(at, [item, ...more.map(isResult ? outputItem : callItem)])
    }
    return changed
  },
  createMerger: (isInjected) => new ResponseMerger(isInjected),
  ping: ': ping\n\n',
  errorFrame(body, merger) {
    const { code = null, message = '', param = null } = objectOf(objectOf(body).error)
    const sequence_number = merger.nextNumber()
    return frameText('error', { type: 'error', code, message, param, sequence_number })
  },
}

const described = toolJson(({ id, description, inputSchema }) => ({
  type: 'function',
  name: id,
  description,
  strict: false,
  parameters: inputSchema,
}))

/** Reasoning that is not stored is known upstream only by its encrypted content. */
function standsAlone({ type, encrypted_content }: JsonObject): boolean {
  return type !== 'reasoning' || typeof encrypted_content === 'string'
}

function callItem({ id, tool, input, item }: AnsweredCall): JsonObject {
  return item ?? { type: 'function_call', call_id: id, name: tool, arguments: input }
}

function outputItem({ id, result }: AnsweredCall): JsonObject {
  const { parts } = result
  // A list is newer than a text, and not every host knows it: only images need it.
  const output = parts.some(isImage) ? parts.map(outputContent) : textOfResult(result)
  return { type: 'function_call_output', call_id: id, output }
}

function outputContent(part: ResultPart): JsonObject {
  if (part.type === 'text') return { type: 'input_text', text: part.text }
  if (!isImage(part)) return { type: 'input_text', text: notShown(part) }
  return { type: 'input_image', image_url: `data:${part.mimeType};base64,${part.data}` }
}

function isImage(part: ResultPart): part is Extract<ResultPart, { type: 'image' }> {
  return part.type === 'image' && /^image\/(jpeg|png|gif|webp)$/.test(part.mimeType)
}
