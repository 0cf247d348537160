import { type JsonObject, objectOf, stringOf } from '../json.ts'
import type { FormatName } from '../records.ts'
import { inputMessages, systemInstructions, toolDefinitions } from './message-content.ts'

/** What of a request its spans are to say. */
export interface RequestTraceOptions {
  /** Names that only the conventions after 1.41 have. */
  readonly dev: boolean
  readonly content: boolean
}

type Value = string | number | string[]

/** GenAI attributes that a request's body gives: plain data, made where it is parsed, so that the body can go. */
export interface RequestAttributes {
  readonly parameters: Readonly<Record<string, Value>>
  /** Each cut to a bound; empty where content is not asked for. */
  readonly content: Readonly<Record<string, string>>
}

export function requestAttributes(
  format: FormatName,
  body: JsonObject,
  { dev, content }: RequestTraceOptions,
): RequestAttributes {
  return {
    parameters: {
      ...parametersOf(format, body),
      ...(dev && newParametersOf(body)),
    },
    content: content
      ? defined({
          'gen_ai.system_instructions': systemInstructions(body),
          'gen_ai.input.messages': inputMessages(format, body),
          'gen_ai.tool.definitions': toolDefinitions(body),
        })
      : {},
  }
}

function parametersOf(format: FormatName, body: JsonObject): Record<string, Value> {
  const choices = numberOf(body.n)
  return defined({
    'gen_ai.request.max_tokens': numberOf(
      body.max_tokens ?? body.max_completion_tokens ?? body.max_output_tokens,
    ),
    'gen_ai.request.temperature': numberOf(body.temperature),
    'gen_ai.request.top_p': numberOf(body.top_p),
    'gen_ai.request.top_k': numberOf(body.top_k),
    'gen_ai.request.frequency_penalty': numberOf(body.frequency_penalty),
    'gen_ai.request.presence_penalty': numberOf(body.presence_penalty),
    'gen_ai.request.seed': numberOf(body.seed),
    'gen_ai.request.choice.count': choices === 1 ? undefined : choices,
    'gen_ai.request.stop_sequences': textsOf(body.stop_sequences ?? body.stop),
    'gen_ai.conversation.id':
      shortText(body.conversation) ?? shortText(objectOf(body.conversation).id),
    'gen_ai.output.type': outputTypeOf(body),
    'openai.request.service_tier':
      format === 'anthropic_messages' || body.service_tier === 'auto'
        ? undefined
        : shortText(body.service_tier),
  })
}

function newParametersOf(body: JsonObject): Record<string, Value> {
  return defined({
    'gen_ai.request.previous_response.id': shortText(body.previous_response_id),
    'gen_ai.request.reasoning.level': shortText(
      body.reasoning_effort ??
        objectOf(body.reasoning).effort ??
        objectOf(body.output_config).effort,
    ),
  })
}

/** What the client asked the answer to be, if anything. */
function outputTypeOf(body: JsonObject): string | undefined {
  const format =
    body.response_format ?? objectOf(body.text).format ?? objectOf(body.output_config).format
  const type = stringOf(objectOf(format).type)
  if (type?.startsWith('json')) return 'json'
  if (Array.isArray(body.modalities) && body.modalities.includes('audio')) return 'speech'
  return type === 'text' ? 'text' : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function textsOf(value: unknown): string[] | undefined {
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || !list.every((each) => typeof each === 'string')) return undefined
  return list.slice(0, 16).map((each: string) => each.slice(0, 256))
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, 256) : undefined
}

function defined<T>(values: Readonly<Record<string, T | undefined>>): Record<string, T> {
  const result: Record<string, T> = {}
  for (const [name, value] of Object.entries(values)) if (value !== undefined) result[name] = value
  return result
}
