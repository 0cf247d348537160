import { arrayOf, countOf, isObject, type JsonObject, objectOf, stringOf } from '../core/json.ts'
import {
  type Answer,
  type Ids,
  inputPieces,
  inputText,
  type ServerSentEvent,
  type ToolCall,
  textPieces,
  wordsOf,
} from './answer.ts'
import {
  instructionsOf,
  lastWords,
  type OfferedTool,
  promptTokens,
  type Question,
  type Turn,
  textsOf,
} from './question.ts'
import { errorBody } from './vendor-error.ts'
import type { WireFormat } from './wire-format.ts'

/** OpenAI Chat Completions: https://platform.openai.com/docs/api-reference/chat-streaming */
export const openaiChat: WireFormat = {
  question: questionOf,
  events,
  body: (answer, question, ids, created) => ({
    ...completion('chat.completion', question, ids, created),
    choices: choices(question).map((index) => ({
      index,
      message: message(answer, ids),
      logprobs: null,
      finish_reason: answer.finish,
    })),
    usage: usage(answer),
  }),
  errorEvents: (error) => [{ data: JSON.stringify(errorBody('openai', error)) }],
}

/** Models of compatible vendors that put their thoughts into `reasoning_content` unasked. */
const THINKERS = /deepseek|reasoner|qwq|glm|kimi|thinking/i

function questionOf(body: JsonObject): Question {
  const messages = arrayOf(body.messages)
  const turns = messages.map((each) => turnOf(objectOf(each)))
  const { tools } = body
  const model = stringOf(body.model) ?? ''
  const format = objectOf(objectOf(body.response_format).json_schema)
  return {
    request: body,
    model,
    stream: body.stream === true,
    instructions: instructionsOf(turns),
    ...lastWords(turns),
    tools: arrayOf(tools).flatMap((tool) => toolOf(objectOf(tool))),
    toolChoice: choiceOf(body.tool_choice),
    parallel: body.parallel_tool_calls !== false,
    reasoning:
      THINKERS.test(model) || !['undefined', 'none'].includes(String(body.reasoning_effort)),
    schema: isObject(format.schema) ? format.schema : undefined,
    maxTokens: countOf(body.max_completion_tokens ?? body.max_tokens),
    tokens: promptTokens(messages, tools, { block: 128 }),
  }
}

function turnOf({ role, content }: JsonObject): Turn {
  const texts = textsOf(content)
  if (role === 'tool' || role === 'function')
    return { role, texts: [], results: [texts.join('\n')] }
  return { role: String(role), texts, results: [] }
}

function toolOf(tool: JsonObject): OfferedTool | [] {
  const free = tool.type === 'custom'
  const { name, parameters } = objectOf(tool[free ? 'custom' : 'function'])
  return typeof name === 'string' ? { name, parameters: free ? null : objectOf(parameters) } : []
}

function choiceOf(choice: unknown): Question['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice
  const given = objectOf(choice)
  const name = objectOf(given.function ?? given.custom).name
  return typeof name === 'string' ? { name } : 'auto'
}

function* events(
  answer: Answer,
  question: Question,
  ids: Ids,
  created: number,
): Iterable<ServerSentEvent> {
  const asked = objectOf(question.request.stream_options).include_usage === true
  const shared = completion('chat.completion.chunk', question, ids, created)
  const chunk = (members: JsonObject) => ({
    data: JSON.stringify({
      ...shared,
      ...members,
      ...(asked && !members.usage && { usage: null }),
    }),
  })
  for (const index of choices(question)) {
    for (const delta of deltas(answer, ids)) {
      yield chunk({ choices: [{ index, delta, logprobs: null, finish_reason: null }] })
    }
    yield chunk({ choices: [{ index, delta: {}, logprobs: null, finish_reason: answer.finish }] })
  }
  if (asked) yield chunk({ choices: [], usage: usage(answer) })
  yield { data: '[DONE]' }
}

function* deltas(answer: Answer, ids: Ids): Iterable<JsonObject> {
  yield { role: 'assistant', content: answer.text ? '' : null, refusal: null }
  for (const reasoning_content of answer.thoughts.flatMap(wordsOf)) yield { reasoning_content }
  for (const content of textPieces(answer)) yield { content }
  for (const [index, call] of answer.calls.entries()) {
    const member = isFree(call) ? 'input' : 'arguments'
    yield { tool_calls: [{ index, ...toolCall(call, '', ids) }] }
    for (const piece of inputPieces(call)) {
      yield { tool_calls: [{ index, [isFree(call) ? 'custom' : 'function']: { [member]: piece } }] }
    }
  }
}

function message({ text, thoughts, calls }: Answer, ids: Ids): JsonObject {
  return {
    role: 'assistant',
    content: text || null,
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join('\n') }),
    refusal: null,
    annotations: [],
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) => toolCall(call, inputText(call.input), ids)),
    }),
  }
}

function toolCall(call: ToolCall, input: string, ids: Ids): JsonObject {
  const { name } = call
  const id = ids('call_')
  if (isFree(call)) return { id, type: 'custom', custom: { name, input } }
  return { id, type: 'function', function: { name, arguments: input } }
}

function isFree({ input }: ToolCall): boolean {
  return typeof input === 'string'
}

function choices({ request }: Question): number[] {
  return Array.from({ length: countOf(request.n) ?? 1 }, (_, index) => index)
}

function completion(object: string, { model }: Question, ids: Ids, created: number): JsonObject {
  const id = ids('chatcmpl-')
  return { id, object, created, model, service_tier: 'default', system_fingerprint: 'fp_simulated' }
}

function usage({ usage: { total, cacheRead, output, reasoning } }: Answer): JsonObject {
  return {
    prompt_tokens: total,
    completion_tokens: output,
    total_tokens: total + output,
    prompt_tokens_details: { cached_tokens: cacheRead, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
