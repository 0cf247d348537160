import { arrayOf, type JsonObject, objectOf, parseJson, stringOf } from '../core/json.ts'

/** How one wire format holds a conversation: the little that the demo's clients need of it. */
export interface Dialect {
  readonly path: string
  user(text: string): JsonObject
  /** What of a reply goes back with the next request. */
  reply(said: readonly JsonObject[]): DemoReply
  result(call: DemoCall, text: string): JsonObject
  /** The member of a request that holds the conversation, and how a tool is offered. */
  readonly history: 'messages' | 'input'
  tool(name: string, parameters: JsonObject): JsonObject
}

export interface DemoReply {
  readonly turns: readonly JsonObject[]
  readonly calls: readonly DemoCall[]
}

export interface DemoCall {
  readonly id: string
  readonly name: string
}

export const messages: Dialect = {
  path: '/anthropic/v1/messages',
  user: (text) => ({
    role: 'user',
    content: [{ type: 'text', text, cache_control: { type: 'ephemeral' } }],
  }),
  reply(said) {
    const content = said.length === 1 ? arrayOf(said[0]?.content).map(objectOf) : blocksOf(said)
    const calls = content.filter(({ type }) => type === 'tool_use')
    return {
      turns: [{ role: 'assistant', content }],
      calls: calls.map((call) => named(call, call)),
    }
  },
  result: ({ id }, text) => ({
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: id, content: text }],
  }),
  history: 'messages',
  tool: (name, input_schema) => ({ name, input_schema }),
}

export const chat: Dialect = {
  path: '/openai/v1/chat/completions',
  user: (content) => ({ role: 'user', content }),
  reply(said) {
    const choices = said.map(({ choices }) => objectOf(arrayOf(choices)[0]))
    const message = objectOf(choices[0]?.message ?? mergedDeltas(choices))
    const calls = arrayOf(message.tool_calls).map(objectOf)
    const turn = { role: 'assistant', content: message.content ?? null }
    return {
      turns: [calls.length > 0 ? { ...turn, tool_calls: calls } : turn],
      calls: calls.map((call) => named(call, objectOf(call.function))),
    }
  },
  result: ({ id }, content) => ({ role: 'tool', tool_call_id: id, content }),
  history: 'messages',
  tool: (name, parameters) => ({ type: 'function', function: { name, parameters } }),
}

export const responses: Dialect = {
  path: '/openai/v1/responses',
  user: (text) => ({
    type: 'message',
    role: 'user',
    content: [{ type: 'input_text', text }],
  }),
  reply(said) {
    const last = objectOf(said.at(-1))
    const output = arrayOf(objectOf(last.response ?? last).output).map(objectOf)
    const calls = output.filter(({ type }) => type === 'function_call')
    return { turns: output, calls: calls.map((call) => named({ id: call.call_id }, call)) }
  },
  result: ({ id }, output) => ({ type: 'function_call_output', call_id: id, output }),
  history: 'input',
  tool: (name, parameters) => ({ type: 'function', name, parameters }),
}

function named({ id }: JsonObject, { name }: JsonObject): DemoCall {
  return { id: stringOf(id) ?? '', name: stringOf(name) ?? '' }
}

function blocksOf(events: readonly JsonObject[]): JsonObject[] {
  const blocks: Record<string, unknown>[] = []
  for (const { type, content_block, delta } of events) {
    if (type === 'content_block_start') blocks.push({ ...objectOf(content_block), input: '' })
    if (type !== 'content_block_delta') continue
    const { type: _, partial_json, ...members } = objectOf(delta)
    const block = blocks.at(-1) ?? {}
    for (const [name, piece] of Object.entries({ ...members, input: partial_json ?? '' })) {
      block[name] = `${block[name] ?? ''}${piece}`
    }
  }
  return blocks.map(({ input, ...block }) =>
    block.type === 'tool_use' ? { ...block, input: objectOf(parseJson(String(input))) } : block,
  )
}

function mergedDeltas(choices: readonly JsonObject[]): JsonObject {
  const deltas = choices.map(({ delta }) => objectOf(delta))
  const calls: Record<string, unknown>[] = []
  for (const piece of deltas.flatMap(({ tool_calls }) => arrayOf(tool_calls)).map(objectOf)) {
    const { index, id, type } = piece
    const { name, arguments: text } = objectOf(piece.function)
    const at = Number(index)
    calls[at] ??= { id, type, function: { name, arguments: '' } }
    const { function: made } = calls[at] as { function: { arguments: string } }
    made.arguments += stringOf(text) ?? ''
  }
  const content = deltas.map(({ content }) => stringOf(content) ?? '').join('')
  return { content: content || null, tool_calls: calls }
}
