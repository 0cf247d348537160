import { arrayOf, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { type AnsweredCall, frameText, type ToolDialect } from '../../tool-rounds/dialect.ts'
import { toolJson } from '../../tool-rounds/tool-json.ts'
import { textOfResult } from '../../tool-rounds/tool-result.ts'
import { madeUpId } from './assistant-message.ts'
import { ChatMerger } from './merge.ts'

/** Tools of the gateway's in the Chat Completions API. */
export const chatTools: ToolDialect = {
  ownTools(request) {
    const tools = request.value('tools') ?? []
    // Several answers would go on in several ways; tools of the older kind have no others beside them.
    if (!Array.isArray(tools) || Number(request.value('n') ?? 1) > 1) return null
    if (arrayOf(request.value('functions')).length > 0) return null
    return tools.map(objectOf).map(nameOf)
  },
  inject(request, tools, parallel) {
    request.insert('tools', described(tools), 'last')
    if (!parallel) request.set('parallel_tool_calls', false)
  },
  followUp(request, answer, results) {
    const named = results.map((call, at) => ({ ...call, id: call.id || madeUpId(at) }))
    request.insert('messages', [...answer, ...named.map(resultMessage)], 'last')
  },
  history: 'messages',
  restored(messages, hidden) {
    const changed = new Map<number, JsonObject[]>()
    for (const [at, message] of messages.entries()) {
      const calls = arrayOf(message.tool_calls).map(objectOf)
      const more = calls.flatMap(({ id }) => hidden(String(id)))
      const answer = messages.findIndex(
        ({ role, tool_call_id }, index) =>
          index > at && role === 'tool' && calls.some(({ id }) => id === tool_call_id),
      )
      const result = messages[answer]
      // Both or neither: a call without its result is refused.
      if (more.length === 0 || !result) continue
      changed.set(at, [{ ...message, tool_calls: [...calls, ...more.map(callOf)] }])
      changed.set(answer, [result, ...more.map(resultMessage)])
    }
    return changed
  },
  createMerger: (isInjected) => new ChatMerger(isInjected),
  ping: ': ping\n\n',
  errorFrame: (body) => frameText('', body),
}

const described = toolJson(({ id, description, inputSchema }) => ({
  type: 'function',
  function: { name: id, description, strict: false, parameters: inputSchema },
}))

function nameOf({ function: described, custom }: JsonObject): string {
  return stringOf(objectOf(described ?? custom).name) ?? ''
}

function callOf({ id, tool, input }: AnsweredCall): JsonObject {
  return { id, type: 'function', function: { name: tool, arguments: input } }
}

function resultMessage({ id, result }: AnsweredCall): JsonObject {
  return { role: 'tool', tool_call_id: id, content: textOfResult(result) }
}
