import { arrayOf, isObject, type JsonObject, objectOf, stringOf } from '../core/json.ts'
import {
  type Answer,
  type Ids,
  inputPieces,
  type ServerSentEvent,
  textPieces,
  wordsOf,
} from './answer.ts'
import {
  instructionsOf,
  lastWords,
  promptTokens,
  type Question,
  type Turn,
  textsOf,
} from './question.ts'
import { errorBody } from './vendor-error.ts'
import type { WireFormat } from './wire-format.ts'

/** Anthropic Messages: https://docs.anthropic.com/en/api/messages-streaming */
export const anthropicMessages: WireFormat = {
  question: questionOf,
  events,
  body: (answer, question, ids) => ({
    ...message(question, ids),
    content: content(answer, question, ids),
    stop_reason: STOP_REASONS[answer.finish],
    usage: { ...inputUsage(answer), ...outputUsage(answer), service_tier: 'standard' },
  }),
  errorEvents: (error) => [event('error', errorBody('anthropic', error))],
}

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const

function questionOf(body: JsonObject): Question {
  const messages = arrayOf(body.messages)
  const turns = messages.map((message) => turnOf(objectOf(message)))
  const { system, tools } = body
  const choice = objectOf(body.tool_choice)
  const format = objectOf(objectOf(body.output_config).format)
  return {
    request: body,
    model: stringOf(body.model) ?? '',
    stream: body.stream === true,
    instructions: [...textsOf(system), instructionsOf(turns)].join('\n'),
    ...lastWords(turns),
    tools: arrayOf(tools)
      .map(objectOf)
      .flatMap(({ name, input_schema }) =>
        typeof name === 'string' && isObject(input_schema)
          ? { name, parameters: input_schema }
          : [],
      ),
    toolChoice: choiceOf(choice),
    parallel: choice.disable_parallel_tool_use !== true,
    reasoning: ['enabled', 'adaptive'].includes(String(objectOf(body.thinking).type)),
    schema: isObject(format.schema) ? format.schema : undefined,
    maxTokens: typeof body.max_tokens === 'number' ? body.max_tokens : undefined,
    tokens: promptTokens(
      messages,
      { system, tools },
      {
        writes: JSON.stringify(body).includes('"cache_control"'),
      },
    ),
  }
}

function turnOf({ role, content }: JsonObject): Turn {
  const results = arrayOf(content)
    .map(objectOf)
    .filter(({ type }) => type === 'tool_result')
  return {
    role: String(role),
    texts: textsOf(content),
    results: results.map((result) => textsOf(result.content).join('\n')),
  }
}

function choiceOf({ type, name }: JsonObject): Question['toolChoice'] {
  if (type === 'tool') return { name: String(name) }
  return type === 'any' ? 'required' : type === 'none' ? 'none' : 'auto'
}

function* events(answer: Answer, question: Question, ids: Ids): Iterable<ServerSentEvent> {
  const start = { ...inputUsage(answer), output_tokens: 1, service_tier: 'standard' }
  yield event('message_start', { message: { ...message(question, ids), usage: start } })
  let index = 0
  for (const block of content(answer, question, ids)) {
    yield event('content_block_start', { index, content_block: emptied(block) })
    // The space is the vendor's own: pings are written by another hand than the rest.
    if (index === 0) yield { event: 'ping', data: '{"type": "ping"}' }
    for (const delta of deltas(block, answer)) yield event('content_block_delta', { index, delta })
    yield event('content_block_stop', { index })
    index++
  }
  yield event('message_delta', {
    delta: { stop_reason: STOP_REASONS[answer.finish], stop_sequence: null },
    usage: { ...inputUsage(answer), ...outputUsage(answer) },
  })
  yield event('message_stop', {})
}

type Block =
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'tool_use'
      readonly id: string
      readonly name: string
      readonly input: unknown
    }

function content(answer: Answer, { request }: Question, ids: Ids): Block[] {
  const omitted = objectOf(request.thinking).display === 'omitted'
  return [
    ...answer.thoughts.map((thought) => ({
      type: 'thinking' as const,
      thinking: omitted ? '' : thought,
      signature: Buffer.from(ids('signature ')).toString('base64'),
    })),
    ...(answer.text || answer.fill ? [{ type: 'text' as const, text: answer.text }] : []),
    ...answer.calls.map(({ name, input }) => ({
      type: 'tool_use' as const,
      id: ids('toolu_'),
      name,
      input,
    })),
  ]
}

function emptied(block: Block): JsonObject {
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' }
  return block.type === 'text' ? { ...block, text: '' } : { ...block, input: {} }
}

function* deltas(block: Block, answer: Answer): Iterable<JsonObject> {
  if (block.type === 'thinking') {
    for (const thinking of wordsOf(block.thinking)) yield { type: 'thinking_delta', thinking }
    yield { type: 'signature_delta', signature: block.signature }
  } else if (block.type === 'text') {
    for (const text of textPieces(answer)) yield { type: 'text_delta', text }
  } else {
    for (const partial_json of ['', ...inputPieces(block)])
      yield { type: 'input_json_delta', partial_json }
  }
}

function message({ model }: Question, ids: Ids): JsonObject {
  const id = ids('msg_')
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  }
}

function inputUsage({ usage }: Answer): JsonObject {
  return {
    input_tokens: usage.total - usage.cacheRead - usage.cacheWrite,
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: 0 },
  }
}

function outputUsage({ usage, thoughts }: Answer): JsonObject {
  const details = thoughts.length > 0 && {
    output_tokens_details: { thinking_tokens: usage.reasoning },
  }
  return { output_tokens: usage.output, ...details }
}

function event(type: string, members: JsonObject): ServerSentEvent {
  return { event: type, data: JSON.stringify({ type, ...members }) }
}
