import { arrayOf, countOf, isObject, type JsonObject, objectOf, stringOf } from '../core/json.ts'
import { type Answer, type Ids, inputText } from './answer.ts'
import { numbered, responseEvents } from './openai-responses-events.ts'
import {
  instructionsOf,
  lastWords,
  type OfferedTool,
  promptTokens,
  type Question,
  type Turn,
  textsOf,
} from './question.ts'
import type { WireFormat } from './wire-format.ts'

/** OpenAI Responses: https://platform.openai.com/docs/api-reference/responses-streaming */
export const openaiResponses: WireFormat = {
  question: questionOf,
  events(answer, question, ids, created) {
    const first = response(question, ids, created)
    const output = items(answer, question, ids)
    const last = { ...first, ...finished(answer, output, created) }
    return responseEvents(first, output, last, answer)
  },
  body(answer, question, ids, created) {
    const first = response(question, ids, created)
    return { ...first, ...finished(answer, items(answer, question, ids), created) }
  },
  errorEvents: ({ type, code, message }, sent) => [
    numbered({ type: 'error', code: code ?? type, message, param: null }, sent),
  ],
}

function questionOf(body: JsonObject): Question {
  const { input, tools, instructions } = body
  const list = typeof input === 'string' ? [{ role: 'user', content: input }] : arrayOf(input)
  const turns = list.map((item) => turnOf(objectOf(item)))
  const reasoning = objectOf(body.reasoning)
  const format = objectOf(objectOf(body.text).format)
  return {
    request: body,
    model: stringOf(body.model) ?? '',
    stream: body.stream === true,
    instructions: [stringOf(instructions) ?? '', instructionsOf(turns)].join('\n'),
    ...lastWords(turns),
    tools: arrayOf(tools).flatMap((tool) => toolsOf(objectOf(tool))),
    toolChoice: choiceOf(body.tool_choice),
    parallel: body.parallel_tool_calls !== false,
    reasoning: Object.keys(reasoning).length > 0 && reasoning.effort !== 'none',
    schema: isObject(format.schema) ? format.schema : undefined,
    maxTokens: countOf(body.max_output_tokens),
    tokens: promptTokens(list, { tools, instructions }, { block: 128 }),
  }
}

function turnOf(item: JsonObject): Turn {
  const { role, type, content, output } = item
  if (/_output$/.test(String(type))) {
    return { role: 'tool', texts: [], results: [textsOf(output).join('\n')] }
  }
  return { role: String(role ?? type), texts: textsOf(content), results: [] }
}

function toolsOf(tool: JsonObject, namespace?: string): OfferedTool[] {
  const { type, name, parameters } = tool
  if (type === 'namespace') {
    return arrayOf(tool.tools).flatMap((inner) => toolsOf(objectOf(inner), String(name)))
  }
  if (typeof name !== 'string' || (type !== 'function' && type !== 'custom')) return []
  return [{ name, namespace, parameters: type === 'custom' ? null : objectOf(parameters) }]
}

function choiceOf(choice: unknown): Question['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice
  const name = objectOf(choice).name
  return typeof name === 'string' ? { name } : 'auto'
}

function items(answer: Answer, { request }: Question, ids: Ids): JsonObject[] {
  const summary = objectOf(request.reasoning).summary !== undefined
  const sealed = arrayOf(request.include).includes('reasoning.encrypted_content')
  const reasoning = answer.thoughts.map((text) => ({
    id: ids('rs_'),
    type: 'reasoning',
    summary: summary || !answer.usage.reasoning ? [{ type: 'summary_text', text }] : [],
    ...(sealed && { encrypted_content: Buffer.from(ids('sealed ')).toString('base64') }),
  }))
  const part = { type: 'output_text', annotations: [], logprobs: [], text: answer.text }
  const message = {
    id: ids('msg_'),
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [part],
  }
  return [
    ...reasoning,
    ...(answer.text || answer.fill ? [message] : []),
    ...answer.calls.map(({ name, namespace, input }) => {
      const call = {
        status: 'completed',
        call_id: ids('call_'),
        name,
        ...(namespace && { namespace }),
      }
      if (typeof input === 'string')
        return { id: ids('ctc_'), type: 'custom_tool_call', ...call, input }
      return { id: ids('fc_'), type: 'function_call', ...call, arguments: inputText(input) }
    }),
  ]
}

/** The response object, which echoes much of the request, as long as nothing has come of it. */
function response({ request, model }: Question, ids: Ids, created: number): JsonObject {
  const { instructions, previous_response_id, prompt_cache_key, tools, metadata } = request
  return {
    id: ids('resp_'),
    object: 'response',
    created_at: created,
    status: 'in_progress',
    background: false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: null,
    model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: previous_response_id ?? null,
    prompt_cache_key: prompt_cache_key ?? null,
    reasoning: { effort: null, summary: null, ...objectOf(request.reasoning) },
    safety_identifier: null,
    service_tier: 'default',
    store: request.store ?? true,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium', ...objectOf(request.text) },
    tool_choice: request.tool_choice ?? 'auto',
    tools: tools ?? [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    user: null,
    metadata: metadata ?? {},
  }
}

function finished(answer: Answer, output: readonly JsonObject[], created: number): JsonObject {
  const { total, cacheRead, output: written, reasoning } = answer.usage
  const cut = answer.finish === 'length'
  return {
    status: cut ? 'incomplete' : 'completed',
    completed_at: cut ? null : created + 1,
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output,
    usage: {
      input_tokens: total,
      input_tokens_details: { cached_tokens: cacheRead },
      output_tokens: written,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: total + written,
    },
  }
}
